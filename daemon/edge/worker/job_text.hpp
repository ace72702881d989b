// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Jobs and their answers as parcels. The worker trusts a job; the daemon trusts no answer.

#include "edge/bpf/filters/program_works.hpp"
#include "edge/worker/parcel.hpp"
#include "ports/rule_noter.hpp"

#include <memory>

namespace filterd::worker {

// ---- in the daemon --------------------------------------------------------------------------------------

[[nodiscard]] Parcel makeJob(const ObjectRequest& request, int counterMap);
[[nodiscard]] Parcel verifyJob(const bpf::ProgramText& text);
[[nodiscard]] Parcel notesJob(const std::vector<packet::PacketRules>& lists);

// Errors: those that the worker tells, and Internal for an answer that cannot be right.
[[nodiscard]] Result<bpf::MadeFilter> readMade(Delivery answer);
[[nodiscard]] Result<UniqueFd> readVerified(Delivery answer);
[[nodiscard]] Result<RuleNoter::Notes> readNotes(Delivery answer);

// ---- in the worker --------------------------------------------------------------------------------------

// An answer and what its descriptors belong to.
struct Answer {
    Parcel parcel;
    std::shared_ptr<void> owner;
};

// What jobs are done by.
struct Tools {
    bpf::ProgramWorks& works;
    packet::ExpressionCompiler& expressions;
};

// Throws std::exception for what is no job.
[[nodiscard]] Answer doJob(const Delivery& job, const Tools& tools);

} // namespace filterd::worker
