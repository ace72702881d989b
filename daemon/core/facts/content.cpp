// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/facts/content.hpp"

#include "base/digest.hpp"
#include "core/ebpf/builtin.hpp"
#include "core/packet_rules/rules_text.hpp"

namespace filterd {

namespace {

struct TextOf {
    std::string operator()(const ElfObject& object) const {
        return {reinterpret_cast<const char*>(object.bytes.data()), object.bytes.size()};
    }
    std::string operator()(const packet::PacketRules& rules) const { return packet::rulesText(rules); }
    std::string operator()(const BuiltinFilter& filter) const {
        return std::string(kBuiltinPrefix) + filter.name;
    }
};

} // namespace

std::string digestOf(const FilterContent& content, const std::string& program,
                     const std::map<std::string, Value>& parameters) {
    auto text = std::visit(TextOf{}, content);
    text += '\0';
    text += program;
    for (const auto& [name, value] : parameters)
        text += '\0' + name + '\0' + canonicalText(value);
    return sha256(text);
}

bool isDigestOf(const std::string& digest, const std::string& programName, const FilterContent& content,
                const std::string& program, const std::map<std::string, Value>& parameters) {
    const auto is = [&](const std::string& chosen) {
        return digest == digestOf(content, chosen, parameters);
    };
    if (is(program))
        return true;
    const bool sameProgram = program.empty() || program == programName;
    return sameProgram && (is("") || is(programName));
}

} // namespace filterd
