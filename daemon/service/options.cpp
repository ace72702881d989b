// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/options.hpp"

#include "base/text.hpp"

namespace filterd {

Result<std::string> Options::text(const std::string& name, const std::string& fallback) {
    asked_.insert(name);
    const auto found = values_.find(name);
    if (found == values_.end())
        return fallback;
    if (!found->second.containsValueOfType<std::string>())
        return failure(ErrorCode::InvalidArgument, "option '" + name + "' takes a string (s)");
    return found->second.get<std::string>();
}

Result<bool> Options::flag(const std::string& name) {
    asked_.insert(name);
    const auto found = values_.find(name);
    if (found == values_.end())
        return false;
    if (!found->second.containsValueOfType<bool>())
        return failure(ErrorCode::InvalidArgument, "option '" + name + "' takes a boolean (b)");
    return found->second.get<bool>();
}

Result<std::optional<std::uint32_t>> Options::number(const std::string& name) {
    asked_.insert(name);
    const auto found = values_.find(name);
    if (found == values_.end())
        return std::optional<std::uint32_t>();
    if (!found->second.containsValueOfType<std::uint32_t>())
        return failure(ErrorCode::InvalidArgument, "option '" + name + "' takes a number (u)");
    return std::optional(found->second.get<std::uint32_t>());
}

Result<std::map<std::string, sdbus::Variant>> Options::table(const std::string& name) {
    using Texts = std::map<std::string, std::string>;
    using Table = std::map<std::string, sdbus::Variant>;
    asked_.insert(name);
    const auto found = values_.find(name);
    if (found == values_.end())
        return Table();
    if (found->second.containsValueOfType<Table>())
        return found->second.get<Table>();
    if (!found->second.containsValueOfType<Texts>())
        return failure(ErrorCode::InvalidArgument,
                       "option '" + name + "' takes a dictionary (a{sv} or a{ss})");
    Table table;
    for (const auto& [key, text] : found->second.get<Texts>())
        table.emplace(key, sdbus::Variant(text));
    return table;
}

Status Options::finish() const {
    for (const auto& [name, value] : values_)
        if (!asked_.contains(name))
            return failure(ErrorCode::InvalidArgument,
                           "unknown option '" + name + "'; known here: " + joined(asked_, ", "));
    return {};
}

} // namespace filterd
