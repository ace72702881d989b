// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Jobs and their answers as parcels. The worker trusts a job; the daemon trusts no answer.

#include "edge/bpf/filters/program_works.hpp"
#include "edge/worker/parcel.hpp"

#include <memory>

namespace filterd::worker {

// ---- in the daemon --------------------------------------------------------------------------------------

[[nodiscard]] Parcel makeJob(const ObjectRequest& request, int counterMap);
[[nodiscard]] Parcel verifyJob(const bpf::ProgramText& text);

// Errors: those that the worker tells, and Internal for an answer that cannot be right.
[[nodiscard]] Result<bpf::MadeFilter> readMade(Delivery answer);
[[nodiscard]] Result<UniqueFd> readVerified(Delivery answer);

// ---- in the worker --------------------------------------------------------------------------------------

// An answer and what its descriptors belong to.
struct Answer {
    Parcel parcel;
    std::shared_ptr<void> owner;
};

// Does the job by `works`. Throws std::exception for what is no job.
[[nodiscard]] Answer doJob(const Delivery& job, bpf::ProgramWorks& works);

} // namespace filterd::worker
