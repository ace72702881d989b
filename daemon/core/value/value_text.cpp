// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/value/value_text.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace filterd {

namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::string_view kSeparators = " \t\r\n,";
constexpr std::string_view kNeedsQuotes = " \t\r\n,{}=\"\\";

bool isOneOf(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

// Follows quotes and braces from character to character.
class Nesting {
  public:
    // Returns whether the character stands outside quotes and braces.
    bool step(char c) {
        if (quoted_) {
            quoted_ = escaped_ || c != '"';
            escaped_ = !escaped_ && c == '\\';
            return false;
        }
        const bool outside = depth_ == 0 && !isOneOf(c, "{}\"");
        quoted_ = c == '"';
        if (c == '{')
            ++depth_;
        if (c == '}')
            --depth_;
        return outside;
    }
    [[nodiscard]] bool closed() const { return depth_ == 0 && !quoted_; }
    [[nodiscard]] bool broken() const { return depth_ < 0; }

  private:
    int depth_ = 0;
    bool quoted_ = false;
    bool escaped_ = false;
};

// As much of the text as an error can quote: values have up to 100,000 items.
constexpr std::size_t kQuotedAtMost = 60;

std::string headOf(std::string_view text) {
    return "'" + std::string(beginningOf(text, kQuotedAtMost)) + "'" +
           (text.size() > kQuotedAtMost ? "..." : "");
}

std::string tailOf(std::string_view text) {
    return (text.size() > kQuotedAtMost ? "...'" : "'") + std::string(endOf(text, kQuotedAtMost)) + "'";
}

Error noItemAtEndOf(std::string_view text) {
    return {ErrorCode::InvalidArgument, "an item is missing beside the last comma of " + tailOf(text)};
}

} // namespace

Result<std::vector<std::string>> splitItems(std::string_view text) {
    std::vector<std::string> items;
    std::string item;
    Nesting nesting;
    std::size_t atComma = 0; // how many items there were at the last one
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        const bool separator = nesting.step(c) && isOneOf(c, kSeparators);
        if (nesting.broken())
            break;
        if (!separator)
            item += c;
        else if (!item.empty())
            items.push_back(std::exchange(item, {}));
        if (separator && c == ',' && std::exchange(atComma, items.size()) == items.size())
            return failure(noItemAtEndOf(text.substr(0, at + 1)));
    }
    if (!nesting.closed())
        return failure(ErrorCode::InvalidArgument, "braces or quotes do not close in " + headOf(text));
    if (!item.empty())
        items.push_back(std::move(item));
    else if (atComma > 0 && atComma == items.size())
        return failure(noItemAtEndOf(text));
    return items;
}

std::pair<std::string, std::optional<std::string>> splitAssignment(std::string_view item) {
    Nesting nesting;
    for (std::size_t i = 0; i < item.size(); ++i)
        if (nesting.step(item[i]) && item[i] == '=')
            return {std::string(item.substr(0, i)), std::string(item.substr(i + 1))};
    return {std::string(item), std::nullopt};
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Only if the first brace closes at the end: not for "{1},{2}".
std::string_view withoutBraces(std::string_view text) {
    text = trimmed(text);
    if (text.size() < 2 || text.front() != '{' || text.back() != '}')
        return text;
    Nesting nesting;
    for (const char c : text.substr(0, text.size() - 1)) {
        nesting.step(c);
        if (nesting.closed())
            return text;
    }
    return text.substr(1, text.size() - 2);
}

std::string unquoted(std::string_view text) {
    text = trimmed(text);
    if (text.size() < 2 || text.front() != '"' || text.back() != '"')
        return std::string(text);
    std::string result;
    bool escaped = false;
    for (const char c : text.substr(1, text.size() - 2)) {
        escaped = !escaped && c == '\\';
        if (!escaped)
            result += c;
    }
    return result;
}

std::string quoted(std::string_view text) {
    const bool plain = !text.empty() && std::none_of(text.begin(), text.end(),
                                                     [](char c) { return isOneOf(c, kNeedsQuotes); });
    if (plain)
        return std::string(text);
    std::string result = "\"";
    for (const char c : text) {
        if (isOneOf(c, "\"\\"))
            result += '\\';
        result += c;
    }
    return result + '"';
}

std::string faultOfPathBeginning(std::string_view text) {
    const auto isNever = [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f ||
               std::string_view(";\\?#").find(c) != std::string_view::npos;
    };
    if (text.empty())
        return {};
    if (!text.starts_with('/'))
        return "does not begin with a slash, as every path does";
    if (text.ends_with('*'))
        return "ends with a *: a beginning covers all that follows it, leave the * out";
    if (std::any_of(text.begin(), text.end(), isNever) || text.find("//") != std::string_view::npos ||
        text.find("/./") != std::string_view::npos || text.find("/../") != std::string_view::npos)
        return "is the beginning of no path that is judged: what a ? or # begins is no part of it, and paths "
               "with //, /./, /../, a semicolon, a backslash or a blank are unparsable";
    return {};
}

} // namespace filterd
