// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The syntax of unit files.

#include "core/syntax/config_text.hpp"
#include "fuzz.hpp"

namespace filterd::fuzz {
namespace {

constexpr std::string_view kPath = "/etc/x.conf";

// What was read, written down so that it reads the same.
std::string textOf(const UnitFile& file) {
    std::string text;
    auto section = file.sections.begin();
    for (std::size_t line = 1, entry = 0; section != file.sections.end() || entry < file.entries.size();
         ++line) {
        if (section != file.sections.end() && section->line == line)
            text += "[" + (section++)->name + "]";
        else if (entry < file.entries.size() && file.entries[entry].line == line) {
            text += file.entries[entry].key + "=" + file.entries[entry].value;
            ++entry;
        }
        text += "\n";
    }
    return text;
}

// A value that ends so would go on in the next line, and a key that begins so is a comment or a header.
bool canBeWritten(const UnitFile& file) {
    for (const auto& entry : file.entries)
        if (entry.value.ends_with('\\') || entry.key.find_first_of("#;[") == 0)
            return false;
    return true;
}

void check(std::string_view text) {
    const auto read = parseUnitFile(kPath, text, [](std::string_view) { return true; });
    const auto parts = readableParts(kPath, text, [](std::string_view) { return true; });
    if (!read) {
        requirePlace(read.error(), "/etc/x.conf:");
        return;
    }
    require(read->sections == parts.sections && read->entries == parts.entries,
            "of a good file all is readable");
    for (const auto& entry : read->entries)
        require(isText(entry.key) && isText(entry.value) && !entry.key.empty(), "assignments are text");
    if (!canBeWritten(*read))
        return;
    const auto again = parseUnitFile(kPath, textOf(*read), [](std::string_view) { return true; });
    require(again && again->sections == read->sections && again->entries == read->entries,
            "what is written down reads the same");
}

void checkSettings(std::string_view text) {
    std::size_t applied = 0;
    const auto read = forEachSetting(kPath, text, {"Match", "Queue"}, [&](const UnitFileEntry& entry) {
        ++applied;
        require(!isForeign(entry.key), "nobody is given what is foreign");
        (void)parseBoolean(entry.value);
        for (const auto& word : words(entry.value))
            require(!word.empty(), "a word has letters");
        return Status{};
    });
    if (!read)
        requirePlace(read.error(), "/etc/x.conf:");
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = filterd::fuzz::textOf(data, size);
    filterd::fuzz::check(text);
    filterd::fuzz::checkSettings(text);
    return 0;
}
