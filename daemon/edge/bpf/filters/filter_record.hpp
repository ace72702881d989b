// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Records what a pin does not tell of a filter, in the runtime directory so that queues can be rebuilt after
// a restart without the filter's object. A lost record costs fusing, never filtering.

#include "base/result.hpp"
#include "core/model/model.hpp"
#include "core/packet_rules/rules_text.hpp"
#include "core/value/parameter.hpp"

#include <filesystem>
#include <linux/bpf.h>
#include <string>
#include <string_view>
#include <vector>

namespace filterd::bpf {

// How a filter can take part in a queue.
enum class Fusing : std::uint8_t {
    Function, // its instructions become a function of the queue's program
    TailCall, // the queue's program tail-calls the filter's own
    OwnLink,  // uses cgroup local storage: must have a link of its own
};

struct RecordedMap {
    std::string name;
    std::uint32_t id = 0;
    MapFacts facts = {}; // known only from the object
    bool kept = false;   // pinned by its name, too
};

struct FilterRecord {
    explicit FilterRecord(FilterInstance filter) : instance(std::move(filter)) {}

    FilterInstance instance;
    FilterDirection direction = FilterDirection::Either;
    std::string programName;
    std::uint32_t programId = 0;
    std::string tag;
    std::string license;
    std::vector<RecordedMap> maps;
    std::vector<Parameter> parameters;
    std::vector<bpf_insn> instructions;
    Fusing fusing = Fusing::TailCall;
    std::string fusingReason;               // why it is no function
    bool congestion = false;                // may return 2 or 3
    std::uint32_t verifiedInstructions = 0; // what it adds to the work of verifying a queue
    std::optional<packet::NumberedRules> rules;
    bool bothDirections = false;
    std::vector<std::string> forgotten; // not recorded: what happened when it was loaded
};

// Where the daemon keeps them, and the record of a filter among them.
inline constexpr std::string_view kRecords = "/run/filterd/programs";
[[nodiscard]] std::filesystem::path recordOf(const std::filesystem::path& records, const FilterName& name);

[[nodiscard]] std::string encodeRecord(const FilterRecord& record);
// Errors: InvalidArgument for anything that encodeRecord() did not write.
[[nodiscard]] Result<FilterRecord> decodeRecord(const std::string& text);

[[nodiscard]] Status writeRecord(const std::filesystem::path& path, const FilterRecord& record);
[[nodiscard]] Result<FilterRecord> readRecord(const std::filesystem::path& path);

} // namespace filterd::bpf
