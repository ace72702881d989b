// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/config/filter_file.hpp"

#include "core/ebpf/builtin.hpp"

#include <algorithm>
#include <array>

namespace filterd {

namespace {

constexpr std::array<std::string_view, 3> kRuleKeys{"Rule", "Default", "Unparsable"};

struct FilterKey {
    std::string_view name;
    std::string FilterDefinition::*text = nullptr;
    bool FilterDefinition::*flag = nullptr;
};

constexpr std::array kFilterKeys{
    FilterKey{"Description", &FilterDefinition::description},
    FilterKey{"Object", &FilterDefinition::object},
    FilterKey{"Pinned", &FilterDefinition::pinned},
    FilterKey{"Program", &FilterDefinition::program},
    FilterKey{"Load", nullptr, &FilterDefinition::load},
    FilterKey{"AllowUsers", nullptr, &FilterDefinition::allowUsers},
};

std::string knownKeys() {
    std::string text;
    for (const auto& key : kFilterKeys)
        text += (text.empty() ? "" : ", ") + std::string(key.name) + "=";
    for (const auto& key : kRuleKeys)
        text += ", " + std::string(key) + "=";
    return text;
}

std::string prefixOf(std::string_view name) { return std::string(name.substr(0, name.find('@'))); }

std::string instanceOf(std::string_view name) {
    const auto at = name.find('@');
    return at == std::string_view::npos ? "" : std::string(name.substr(at + 1));
}

std::string withEach(char from, char to, std::string text) {
    std::replace(text.begin(), text.end(), from, to);
    return text;
}

Result<std::string> expand(std::string_view value, const FilterName& name) {
    std::string expanded;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] != '%') {
            expanded += value[i];
            continue;
        }
        const char specifier = ++i < value.size() ? value[i] : '\0';
        if (specifier == '%')
            expanded += '%';
        else if (specifier == 'i')
            expanded += instanceOf(name.text());
        else if (specifier == 'I')
            expanded += withEach('-', '/', instanceOf(name.text()));
        else if (specifier == 'd')
            expanded += withEach('_', '.', instanceOf(name.text()));
        else if (specifier == 'p')
            expanded += prefixOf(name.text());
        else
            return failure(ErrorCode::BadConfiguration,
                           "a % is none of %i, %I, %d, %p, write %% for a percent sign");
    }
    return expanded;
}

class FilterReader {
  public:
    FilterReader(const FilterName& name, const ConfigText& main) : definition_(name), main_(main.path) {}

    Status read(const ConfigText& file) {
        path_ = file.path;
        return forEachSetting(file.path, file.text, {"Filter", "Parameters"},
                              [this](const UnitFileEntry& entry) { return apply(entry); });
    }

    Result<FilterDefinition> finish() {
        if (!definition_.rules.rules.empty())
            return finishRules();
        if (!ruleOption_.empty())
            return failure(ErrorCode::BadConfiguration,
                           ruleOption_ + " has no effect without Rule=, add one");
        if (definition_.object.empty() && definition_.pinned.empty())
            return failure(
                fileError(main_, 1, "neither Object=, Pinned= nor Rule= below [Filter], name what to load"));
        if (!definition_.object.empty() && !definition_.pinned.empty())
            return failure(ErrorCode::BadConfiguration,
                           definition_.source +
                               ": Object= and Pinned= exclude each other, take one back by an "
                               "empty assignment");
        if (!definition_.pinned.empty() && !definition_.parameters.empty())
            return failure(ErrorCode::BadConfiguration,
                           definition_.source +
                               ": [Parameters] have no effect on a Pinned= program, leave them out");
        return std::move(definition_);
    }

  private:
    Result<FilterDefinition> finishRules() {
        if (!definition_.object.empty() || !definition_.pinned.empty())
            return failure(ErrorCode::BadConfiguration,
                           definition_.source +
                               ": Rule= excludes Object= and Pinned=, leave one of them out");
        if (!definition_.parameters.empty() || !definition_.program.empty())
            return failure(ErrorCode::BadConfiguration,
                           definition_.source +
                               ": [Parameters] and Program= have no effect on Rule=, leave them out");
        return std::move(definition_);
    }

    Status apply(const UnitFileEntry& entry) {
        const auto value = expand(entry.value, definition_.name);
        if (!value)
            return bad(entry.line, entry.key + "=: " + value.error().message);
        if (entry.section == "Parameters")
            return applyParameter(entry, *value);
        if (entry.key == "Rule")
            return applyRule(entry, *value);
        if (entry.key == "Default")
            return applyVerdict(entry, *value, definition_.rules.byDefault);
        if (entry.key == "Unparsable")
            return applyVerdict(entry, *value, definition_.rules.unparsable);
        const auto* const key = std::find_if(kFilterKeys.begin(), kFilterKeys.end(),
                                             [&](const auto& one) { return one.name == entry.key; });
        if (key == kFilterKeys.end())
            return bad(entry.line, "unknown key " + entry.key + "= in [Filter], known are " + knownKeys());
        if (key->flag != nullptr)
            return applyFlag(entry, *value, definition_.*key->flag);
        definition_.*key->text = *value;
        return entry.key == "Object" || entry.key == "Pinned" ? applyPath(entry, *value) : Status{};
    }

    // As everywhere, an empty assignment takes back what was said before.
    Status applyParameter(const UnitFileEntry& entry, const std::string& value) {
        if (value.empty())
            definition_.parameters.erase(entry.key);
        else if (auto& lines = definition_.parameters[entry.key]; lines.empty())
            lines = value;
        else
            lines += "\n" + value;
        definition_.places.insert_or_assign(entry.key, placeOf(entry));
        return {};
    }

    Status applyFlag(const UnitFileEntry& entry, const std::string& value, bool& flag) {
        const auto parsed = value.empty() ? Result<bool>(false) : parseBoolean(value);
        if (!parsed)
            return bad(entry.line, entry.key + "=: " + parsed.error().message);
        flag = *parsed;
        return {};
    }

    // One rule more; an empty assignment takes all before it back.
    Status applyRule(const UnitFileEntry& entry, const std::string& value) {
        auto& rules = definition_.rules.rules;
        if (value.empty()) {
            rules.clear();
            return {};
        }
        auto rule = packet::parseRule(value);
        if (!rule)
            return bad(entry.line, "Rule=: " + rule.error().message);
        if (rules.empty())
            definition_.source = placeOf(entry);
        rules.push_back(std::move(*rule));
        definition_.places.insert_or_assign(std::to_string(rules.size()), placeOf(entry));
        return {};
    }

    Status applyVerdict(const UnitFileEntry& entry, const std::string& value, packet::Verdict& verdict) {
        const auto parsed =
            value.empty() ? Result<packet::Verdict>(packet::Verdict::Deny) : packet::parseVerdict(value);
        if (!parsed)
            return bad(entry.line, entry.key + "=: " + parsed.error().message);
        verdict = *parsed;
        ruleOption_ = value.empty() ? "" : placeOf(entry) + ": " + entry.key + "=";
        return {};
    }

    Status applyPath(const UnitFileEntry& entry, const std::string& value) {
        if (value.empty())
            return {};
        const bool builtIn = entry.key == "Object" && value.starts_with(kBuiltinPrefix);
        if (!builtIn && !value.starts_with('/'))
            return bad(entry.line, entry.key + "= is not an absolute path, begin it with /");
        definition_.source = placeOf(entry);
        return {};
    }

    [[nodiscard]] std::string placeOf(const UnitFileEntry& entry) const {
        return path_ + ":" + std::to_string(entry.line);
    }

    [[nodiscard]] Status bad(std::size_t line, const std::string& what) const {
        return failure(fileError(path_, line, what));
    }

    FilterDefinition definition_;
    std::string main_;
    std::string path_;
    std::string ruleOption_; // FILE:LINE: KEY= of the last that needs a Rule=
};

} // namespace

std::string templateOf(std::string_view name) {
    const auto at = name.find('@');
    return at == std::string_view::npos || at + 1 == name.size() ? "" : std::string(name.substr(0, at + 1));
}

Result<FilterDefinition> parseFilterFile(const FilterName& name, const std::vector<ConfigText>& files) {
    if (files.empty())
        return failure(ErrorCode::Internal, "a filter's definition needs a file");
    FilterReader reader(name, files.front());
    for (const auto& file : files)
        if (auto read = reader.read(file); !read)
            return failure(read.error());
    return reader.finish();
}

} // namespace filterd
