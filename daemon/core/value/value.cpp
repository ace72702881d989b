// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/value/value.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace filterd {

// Written out, as clang 14 crashes on a defaulted comparison of types that contain each other.
bool Value::operator==(const Value& other) const { return data == other.data; }
bool NamedValue::operator==(const NamedValue& other) const {
    return name == other.name && value == other.value;
}

Value assigned(const std::string& lines) {
    Assignments assignments;
    for (std::string_view rest = lines; !rest.empty();) {
        const auto end = rest.find('\n');
        assignments.texts.emplace_back(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return assignments.texts.size() < 2 ? Value{lines} : Value{std::move(assignments)};
}

std::string canonicalText(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value.data))
        return *text;
    if (const auto* flag = std::get_if<bool>(&value.data))
        return *flag ? "true" : "false";
    if (const auto* number = std::get_if<std::int64_t>(&value.data))
        return std::to_string(*number);
    if (const auto* number = std::get_if<std::uint64_t>(&value.data))
        return std::to_string(*number);
    if (const auto* assignments = std::get_if<Assignments>(&value.data))
        return std::accumulate(std::next(assignments->texts.begin()), assignments->texts.end(),
                               assignments->texts.front(),
                               [](const auto& all, const auto& one) { return all + "\n" + one; });
    std::string result;
    if (const auto* list = std::get_if<ValueList>(&value.data))
        for (const auto& item : *list)
            result += (result.empty() ? "" : ",") + canonicalText(item);
    if (const auto* table = std::get_if<ValueTable>(&value.data)) {
        auto sorted = *table;
        std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
        for (const auto& [name, item] : sorted)
            result += (result.empty() ? "" : ",") + name + "=" + canonicalText(item);
    }
    return "{" + result + "}";
}

} // namespace filterd
