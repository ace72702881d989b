// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/filters/entries_file.hpp"

#include "core/value/value_text.hpp"

#include <map>
#include <optional>
#include <sstream>
#include <utf8cpp/utf8.h>

namespace filterd::cli {

namespace {

class EntriesReader {
  public:
    explicit EntriesReader(const std::string& file) { given_.file = file == "-" ? "standard input" : file; }

    client::Result<GivenEntries> read(const std::string& text) {
        std::istringstream lines(text);
        std::size_t number = 0;
        for (std::string line; std::getline(lines, line);)
            if (auto fault = take(trimmed(line), ++number))
                return tl::unexpected(
                    client::Error{std::string(client::errors::kInvalidArgument),
                                  given_.file + ":" + std::to_string(number) + ": " + *fault});
        return std::move(given_);
    }

  private:
    // Returns what is wrong with the line.
    std::optional<std::string> take(std::string_view line, std::size_t number) {
        if (line.empty() || line.front() == '#' || line.front() == ';')
            return std::nullopt;
        if (!utf8::is_valid(line.begin(), line.end()))
            return "bytes that are not UTF-8 text, save it as UTF-8";
        const auto items = splitItems(line);
        if (!items)
            return items.error().message + ", write one KEY=VALUE on a line";
        for (const auto& item : *items) {
            auto key = splitAssignment(item).first;
            if (key.empty())
                return "'" + item + "' has no key, write KEY=VALUE";
            if (const auto [known, isNew] = lines_.emplace(unquoted(key), number); !isNew)
                return "the key '" + key + "' stands in line " + std::to_string(known->second) +
                       " already, leave one of them out";
            given_.entries.push_back({std::move(key), number});
        }
        given_.text.append(line).append("\n");
        return std::nullopt;
    }

    GivenEntries given_;
    std::map<std::string, std::size_t> lines_; // by key
};

} // namespace

client::Result<GivenEntries> parseEntriesFile(const std::string& file, const std::string& text) {
    return EntriesReader(file).read(text);
}

client::Error inFile(const GivenEntries& given, client::Error error) {
    for (const auto& [key, line] : given.entries)
        for (const auto* named : {"the key '", "the value of '"})
            if (error.message.find(named + key + "'") != std::string::npos) {
                error.message = given.file + ":" + std::to_string(line) + ": " + error.message;
                return error;
            }
    return error;
}

} // namespace filterd::cli
