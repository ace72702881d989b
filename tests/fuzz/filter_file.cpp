// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// A .filter file with its drop-ins; the first line is the name of the filter.

#include "core/config/filter_content.hpp"
#include "core/config/filter_sources.hpp"
#include "fuzz.hpp"
#include "tests/shared/fake_expressions.hpp"

namespace filterd::fuzz {
namespace {

constexpr std::string_view kFolder = "/etc/filterd/";

struct Case {
    std::string name;
    std::vector<ConfigText> files;
};

Case caseOf(std::string_view text) {
    const auto end = std::min(text.find('\n'), text.size());
    Case read{std::string(text.substr(0, end)), {}};
    text.remove_prefix(std::min(end + 1, text.size()));
    for (auto& part : partsOf(text))
        read.files.push_back(
            {std::string(kFolder) + "f.filter" +
                 (read.files.empty() ? "" : ".d/" + std::to_string(read.files.size()) + ".conf"),
             std::move(part)});
    return read;
}

void checkRules(const packet::PacketRules& rules) {
    const auto text = packet::rulesText(rules);
    const auto read = packet::parseRulesText(text);
    require(read.has_value() ? *read == rules : !packet::checkLimits(rules),
            "rules are read as they were written", text);
}

void checkDefinition(const FilterDefinition& definition) {
    checkRules(definition.rules);
    for (const auto& [name, value] : definition.parameters)
        require(isUtf8(name) && isUtf8(value), "parameters are text");
    require(definition.source.starts_with(kFolder), "a definition stands in a file", definition.source);
    if (!definition.pinned.empty())
        return;
    const auto request = requestFor(definition, [](const std::string&) {
        return std::string("\x7f"
                           "ELF");
    });
    if (!request)
        requireReadable(request.error());
    else
        (void)digestOf(request->content, request->program, request->parameters);
    test::FakeExpressions expressions;
    packet::CompiledRuleNotes notes(expressions);
    for (const auto& note : notesOf(definition, notes))
        require(isUtf8(note), "a note is text", note);
    for (const auto* item : {"", "1", "2", "port"})
        requireReadable(inFile(definition, Error{ErrorCode::InvalidArgument, "wrong"}.about(item)));
}

// As one source among others.
void checkSources(const Case& read, const FilterName& name) {
    FilterSources sources;
    FilterSource source;
    source.main = read.files.front();
    for (std::size_t i = 1; i < read.files.size(); ++i)
        source.dropIns.emplace(std::to_string(i) + ".conf", read.files[i]);
    sources.add(templateOf(name.text()).empty() ? name.text() : templateOf(name.text()), source);
    const auto defined = sources.define(name);
    if (!defined)
        requireReadable(defined.error());
}

void check(std::string_view text) {
    const auto read = caseOf(text);
    const auto name = FilterName::parse(read.name);
    if (!name) {
        if (isUtf8(read.name))
            requireReadable(name.error());
        return;
    }
    const auto definition = parseFilterFile(*name, read.files);
    if (definition)
        checkDefinition(*definition);
    else
        requirePlace(definition.error(), kFolder);
    checkSources(read, *name);
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    filterd::fuzz::check(filterd::fuzz::textOf(data, size));
    return 0;
}
