// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Written by hand because libinih cuts lines at 200 bytes and tells one line number for a whole file.

#include "core/syntax/unit_file.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <optional>
#include <utf8cpp/utf8.h>

namespace filterd {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::size_t kQuoteMax = 60; // how much of a bad line a message repeats

std::string_view strip(std::string_view text) {
    const auto first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// A message goes to terminals and to the bus: it cuts between characters and repeats no control character.
std::string quote(std::string_view text) {
    std::string quoted(beginningOf(text, kQuoteMax));
    const bool isWhole = quoted.size() == text.size();
    for (char& c : quoted)
        if (const auto byte = static_cast<unsigned char>(c); byte < 0x20 || byte == 0x7f)
            c = '?';
    return "'" + quoted + (isWhole ? "'" : "…'");
}

bool isContinued(std::string_view line) {
    const auto last = line.find_last_not_of('\\');
    const auto backslashes = last == std::string_view::npos ? line.size() : line.size() - last - 1;
    return backslashes % 2 == 1;
}

class Parser {
  public:
    Parser(std::string_view path, SectionPredicate wanted) : path_(path), wanted_(wanted) {}

    // Tells the first line that cannot be read, and reads the others all the same.
    Status read(std::string_view text) {
        text = withoutByteOrderMark(text);
        Status first;
        for (std::size_t line = 1; !text.empty(); ++line)
            if (auto read = physicalLine(cutLine(text), line); !read && first)
                first = read;
        if (auto read = endLogicalLine(); !read && first)
            first = read;
        return first;
    }

    UnitFile take() { return std::move(file_); }

  private:
    static std::string_view cutLine(std::string_view& text) {
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        return line;
    }

    // A comment within a continued line is left out; the line goes on after it.
    Status physicalLine(std::string_view line, std::size_t number) {
        const auto content = strip(line);
        if (content.starts_with('#') || content.starts_with(';'))
            return {};
        if (!begun_)
            begun_ = number;
        if (isContinued(line)) {
            pending_.append(line.substr(0, line.size() - 1)).append(" ");
            return {};
        }
        pending_.append(line);
        return endLogicalLine();
    }

    Status endLogicalLine() {
        const auto line = strip(pending_);
        Status status;
        if (!line.empty())
            status = line.starts_with('[') ? header(line) : assignment(line);
        pending_.clear();
        begun_.reset();
        return status;
    }

    Status header(std::string_view line) {
        skipping_ = true; // what stands below a header that cannot be read
        if (!isText(line))
            return notText();
        const auto name = line.substr(1, line.size() - 2);
        if (!line.ends_with(']') || name.empty() || name.find_first_of("[]") != std::string_view::npos)
            return bad(quote(line) + " is not a section header, write [Section]");
        section_ = name;
        skipping_ = !wanted_(name);
        if (!skipping_)
            file_.sections.push_back({section_, *begun_});
        return {};
    }

    Status assignment(std::string_view line) {
        if (skipping_)
            return {};
        if (!isText(line))
            return notText();
        if (section_.empty())
            return bad(quote(line) + " stands before the first section, put it below a [Section] line");
        const auto equals = line.find('=');
        const auto key = strip(line.substr(0, equals));
        if (equals == std::string_view::npos || key.empty())
            return bad(quote(line) + " is no assignment, write Key=Value or begin a comment with #");
        file_.entries.push_back(
            {section_, std::string(key), std::string(strip(line.substr(equals + 1))), *begun_});
        return {};
    }

    [[nodiscard]] Status bad(const std::string& what) const {
        return failure(fileError(path_, *begun_, what));
    }
    [[nodiscard]] Status notText() const { return bad("bytes that are not UTF-8 text, save it as UTF-8"); }

    std::string_view path_;
    SectionPredicate wanted_;
    UnitFile file_;
    std::string section_;
    bool skipping_ = false;
    std::string pending_;              // what was read of a line that goes on
    std::optional<std::size_t> begun_; // where it began
};

std::string headers(const std::vector<std::string_view>& sections) {
    std::string list;
    for (const auto section : sections)
        list.append(list.empty() ? "[" : " and [").append(section).append("]");
    return list;
}

} // namespace

std::string_view withoutByteOrderMark(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.starts_with(kByteOrderMark))
        text.remove_prefix(kByteOrderMark.size());
    return text;
}

bool isText(std::string_view text) {
    return text.find('\0') == std::string_view::npos && utf8::is_valid(text.begin(), text.end());
}

Error fileError(std::string_view path, std::size_t line, std::string_view what) {
    return {ErrorCode::BadConfiguration,
            std::string(path) + ":" + std::to_string(line) + ": " + std::string(what)};
}

Result<UnitFile> parseUnitFile(std::string_view path, std::string_view text, SectionPredicate wanted) {
    Parser parser(path, wanted);
    if (auto read = parser.read(text); !read)
        return failure(read.error());
    return parser.take();
}

Status forEachSetting(std::string_view path, std::string_view text,
                      const std::vector<std::string_view>& known,
                      const std::function<Status(const UnitFileEntry&)>& apply) {
    const auto file = parseUnitFile(path, text);
    if (!file)
        return failure(file.error());
    for (const auto& section : file->sections)
        if (std::find(known.begin(), known.end(), section.name) == known.end())
            return failure(fileError(path, section.line,
                                     "unknown section [" + section.name + "], use " + headers(known) +
                                         ", or [X-" + section.name + "] for what filterd is to ignore"));
    for (const auto& entry : file->entries)
        if (!isForeign(entry.key))
            if (auto applied = apply(entry); !applied)
                return applied;
    return {};
}

UnitFile readableParts(std::string_view path, std::string_view text, SectionPredicate wanted) {
    Parser parser(path, wanted);
    (void)parser.read(text);
    return parser.take();
}

} // namespace filterd
