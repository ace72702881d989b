// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/model/unit_name.hpp"

#include "core/model/names.hpp"

namespace filterd {

std::optional<UnitName> UnitName::parse(std::string_view text) {
    if (!isUnitName(text))
        return std::nullopt;
    const auto dot = text.rfind('.'); // isUnitName() has seen the type behind it
    const auto stem = text.substr(0, dot);
    const auto at = stem.find('@');
    UnitName name;
    name.type_ = text.substr(dot + 1);
    name.prefix_ = stem.substr(0, at);
    name.hasAt_ = at != std::string_view::npos;
    if (name.hasAt_)
        name.instance_ = stem.substr(at + 1);
    return name;
}

std::string UnitName::text() const { return prefix_ + (hasAt_ ? "@" + instance_ : "") + "." + type_; }

UnitName UnitName::withInstance(std::string instance) const {
    auto other = *this;
    if (hasAt_)
        other.instance_ = std::move(instance);
    return other;
}

UnitName UnitName::withPrefix(std::string prefix) const {
    auto other = *this;
    other.prefix_ = std::move(prefix);
    return other;
}

UnitName UnitName::plain() const {
    auto other = *this;
    other.hasAt_ = false;
    other.instance_.clear();
    return other;
}

UnitName UnitName::withType(std::string type) const {
    auto other = *this;
    other.type_ = std::move(type);
    return other;
}

std::string withoutSpecifiers(const std::string& text, const UnitName& unit) {
    const auto stem = unit.text().substr(0, unit.text().rfind('.'));
    const auto last = unit.prefix().substr(unit.prefix().rfind('-') + 1);
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char kind = text[i] == '%' && i + 1 < text.size() ? text[i + 1] : '\0';
        switch (kind) {
        case 'i':
        case 'I':
            result += unit.instance();
            break;
        case 'p':
        case 'P':
            result += unit.prefix();
            break;
        case 'j':
        case 'J':
            result += last;
            break;
        case 'n':
            result += unit.text();
            break;
        case 'N':
            result += stem;
            break;
        default:
            result += text[i];
            continue;
        }
        ++i;
    }
    return result;
}

} // namespace filterd
