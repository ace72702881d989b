// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/config/queue_file.hpp"

#include "core/ebpf/builtin.hpp"
#include "core/model/glob.hpp"

#include <string_view>

namespace filterd {

namespace {

// What passes checkPattern() may still be a glob that the kernel's matcher cannot hold.
Status checkTarget(const std::string& target) {
    if (auto checked = checkPattern(target); !checked)
        return checked;
    if (isAnyUnitName(target) || target.starts_with('/'))
        return {};
    if (const auto glob = Glob::compile(target); !glob)
        return failure(glob.error());
    return {};
}

Status checkBuiltin(std::string_view name) {
    if (!name.starts_with(kBuiltinPrefix) || builtin(name.substr(kBuiltinPrefix.size())))
        return {};
    return failure(ErrorCode::InvalidName, "there is no built-in filter '" +
                                               std::string(name.substr(kBuiltinPrefix.size())) +
                                               "', name builtin:drop, builtin:pass or builtin:mtu");
}

Status applyFilters(const std::string& path, const UnitFileEntry& entry, Rule& rule,
                    std::vector<FilterName>& filters) {
    if (entry.value.empty())
        filters.clear();
    for (const auto& word : words(entry.value)) {
        auto name = FilterName::parse(word);
        if (!name)
            return failure(fileError(path, entry.line, entry.key + "=: " + name.error().message));
        if (auto checked = checkBuiltin(name->text()); !checked)
            return failure(fileError(path, entry.line, entry.key + "=: " + checked.error().message));
        rule.places.insert_or_assign(*name, path + ":" + std::to_string(entry.line));
        filters.push_back(std::move(*name));
    }
    return {};
}

Status applyOnFailure(const std::string& path, const UnitFileEntry& entry, Rule& rule) {
    if (!entry.value.empty() && entry.value != "hold" && entry.value != "pass")
        return failure(
            fileError(path, entry.line, "OnFailure= is neither 'hold' nor 'pass', write one of them"));
    rule.onFailure = entry.value == "pass" ? OnFailure::Pass : OnFailure::Hold;
    rule.holdAskedAt = entry.value == "hold" ? path + ":" + std::to_string(entry.line) : std::string();
    return {};
}

Status applyFallback(const std::string& path, const UnitFileEntry& entry, Fallback& fallback) {
    if (entry.value.empty() || entry.value == "allow")
        fallback = Fallback::Allow;
    else if (entry.value == "refuse")
        fallback = Fallback::Refuse;
    else
        return failure(fileError(path, entry.line,
                                 "FallbackPolicy= is neither 'allow' nor 'refuse', write one of them"));
    return {};
}

Status applyLogOnly(const std::string& path, const UnitFileEntry& entry, bool& logOnly) {
    const auto value = entry.value.empty() ? Result<bool>(false) : parseBoolean(entry.value);
    if (!value)
        return failure(fileError(path, entry.line, entry.key + "=: " + value.error().message));
    logOnly = *value;
    return {};
}

// Applies assignments one after the other, as systemd does: lists grow, an empty assignment resets.
class QueueReader {
  public:
    explicit QueueReader(const ConfigText& main)
        : unmatched_(
              fileError(main.path, 1, "no Unit= below [Match], name the units or globs that it is for")) {
        rule_.source = main.path;
    }

    Status read(const ConfigText& file) {
        path_ = file.path;
        return forEachSetting(file.path, file.text, {"Match", "Queue"},
                              [this](const UnitFileEntry& entry) { return apply(entry); });
    }

    void readWhatCanBe(const ConfigText& file) {
        path_ = file.path;
        for (const auto& entry : readableParts(file.path, file.text).entries)
            if (isForeign(entry.key) || apply(entry))
                continue;
    }

    Result<Rule> finish() {
        if (rule_.targets.empty())
            return failure(unmatched_);
        return std::move(rule_);
    }

  private:
    Status apply(const UnitFileEntry& entry) {
        if (entry.section == "Match" && entry.key == "Unit")
            return applyUnits(entry);
        if (entry.section == "Queue")
            return applyQueueSetting(path_, entry, rule_);
        return bad(entry.line, "unknown key " + entry.key + "= in [Match], use Unit=");
    }

    Status applyUnits(const UnitFileEntry& entry) {
        if (entry.value.empty()) {
            rule_.targets.clear();
            unmatched_ = fileError(path_, entry.line, "Unit= takes back every unit, name one after it");
            return {};
        }
        Status first; // the others count all the same: a broken file holds those that it names well
        for (auto& target : words(entry.value)) {
            if (const auto checked = checkTarget(target); checked)
                rule_.targets.push_back(target.starts_with('/') ? cgroupPath(target) : std::move(target));
            else if (first)
                first = bad(entry.line, "Unit=: " + checked.error().message);
        }
        return first;
    }

    [[nodiscard]] Status bad(std::size_t line, const std::string& what) const {
        return failure(fileError(path_, line, what));
    }

    Rule rule_;
    Error unmatched_; // the error if no unit is left at the end
    std::string path_;
};

} // namespace

Status applyQueueSetting(const std::string& path, const UnitFileEntry& entry, Rule& rule) {
    if (entry.key == "IngressFilter")
        return applyFilters(path, entry, rule, rule.ingress);
    if (entry.key == "EgressFilter")
        return applyFilters(path, entry, rule, rule.egress);
    if (entry.key == "OnFailure")
        return applyOnFailure(path, entry, rule);
    if (entry.key == "FallbackPolicy")
        return applyFallback(path, entry, rule.fallback);
    if (entry.key == "LogOnly")
        return applyLogOnly(path, entry, rule.logOnly);
    return failure(
        fileError(path, entry.line,
                  "unknown key " + entry.key + "= in [" + entry.section +
                      "], use IngressFilter=, EgressFilter=, OnFailure=, FallbackPolicy= or LogOnly="));
}

Result<Rule> parseQueueFile(const std::vector<ConfigText>& files) {
    if (files.empty())
        return failure(ErrorCode::Internal, "a rule needs a file");
    QueueReader reader(files.front());
    for (const auto& file : files)
        if (auto read = reader.read(file); !read)
            return tl::unexpected(read.error());
    return reader.finish();
}

std::optional<Rule> brokenRule(const std::vector<ConfigText>& files, const Error& error) {
    if (files.empty())
        return std::nullopt;
    QueueReader reader(files.front());
    for (const auto& file : files)
        reader.readWhatCanBe(file);
    auto rule = reader.finish();
    if (!rule)
        return std::nullopt;
    rule->broken = error.message;
    return std::move(*rule);
}

} // namespace filterd
