// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/intake/object_tags.hpp"

#include "core/value/integers.hpp"
#include "edge/bpf/programs/verifier_log.hpp"

#include <limits>
#include <string_view>
#include <vector>

namespace filterd::bpf {

namespace {

constexpr std::string_view kOurs = "filterd:";
constexpr std::string_view kBothDirections = "both-directions";
constexpr std::string_view kLeast = "least=";
constexpr std::string_view kMost = "most=";

// The tags of a function or of a variable, without what they all begin with. Those of parameters of functions
// are not among them.
std::vector<std::string> tagsOf(const btf* types, __u32 id) {
    std::vector<std::string> tags;
    const __u32 count = ::btf__type_cnt(types);
    for (__u32 i = 1; i < count; ++i) {
        const auto* type = ::btf__type_by_id(types, i);
        if (!::btf_is_decl_tag(type) || type->type != id || ::btf_decl_tag(type)->component_idx != -1)
            continue;
        const std::string_view text = ::btf__name_by_offset(types, type->name_off);
        if (text.starts_with(kOurs))
            tags.emplace_back(text.substr(kOurs.size()));
    }
    return tags;
}

tl::unexpected<Error> meaningless(const std::string& what, const std::string& tag, const char* known) {
    return failure(ErrorCode::InvalidObject, what + " has the tag '" + std::string(kOurs) + printable(tag) +
                                                 "', which means nothing there: " + known);
}

std::optional<std::int64_t> numberOf(std::string_view tag, std::string_view key) {
    const auto number = tag.starts_with(key) ? parseInteger(tag.substr(key.size())) : std::nullopt;
    if (!number || *number < std::numeric_limits<std::int64_t>::min() ||
        *number > std::numeric_limits<std::int64_t>::max())
        return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

bool isMeaningful(const ValueType& type, const std::optional<std::int64_t>& least,
                  const std::optional<std::int64_t>& most) {
    if (type.kind == ValueKind::PortSet)
        return !most;
    return type.kind == ValueKind::Integer && (least || most);
}

} // namespace

Result<bool> needsBothDirections(const btf* types, const std::string& program) {
    const auto id = types == nullptr ? -1 : ::btf__find_by_name_kind(types, program.c_str(), BTF_KIND_FUNC);
    if (id <= 0)
        return false;
    bool needed = false;
    for (const auto& tag : tagsOf(types, static_cast<__u32>(id))) {
        if (tag != kBothDirections)
            return meaningless("program '" + printable(program) + "'", tag,
                               "known is filterd:both-directions");
        needed = true;
    }
    return needed;
}

Status applyTags(const btf* types, __u32 variable, ValueType& type) {
    for (const auto& tag : tagsOf(types, variable)) {
        const auto least = numberOf(tag, kLeast);
        const auto most = numberOf(tag, kMost);
        if ((!least && !most) || !isMeaningful(type, least, most)) {
            const auto* name = ::btf__name_by_offset(types, ::btf__type_by_id(types, variable)->name_off);
            return meaningless(
                "parameter '" + printable(name) + "'", tag,
                "known are filterd:least=N and filterd:most=N of integers, and filterd:least=1 of a "
                "struct port_set");
        }
        if (least)
            type.least = least;
        if (most)
            type.most = most;
    }
    return {};
}

} // namespace filterd::bpf
