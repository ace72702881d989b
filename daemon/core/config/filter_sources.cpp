// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/config/filter_sources.hpp"

#include "base/confine.hpp"
#include "core/ebpf/builtin.hpp"
#include "core/packet_rules/rules_text.hpp"

namespace filterd {

namespace {

bool namesBuiltin(const FilterName& name) { return name.text().starts_with(kBuiltinPrefix); }

// "builtin:drop" is what a file with Object=builtin:drop would define.
FilterDefinition definitionOfBuiltin(const FilterName& name) {
    FilterDefinition definition(name);
    definition.source = name.text();
    definition.object = name.text();
    return definition;
}

} // namespace

std::string maskedBy(const FilterName& name, const std::string& path) {
    return "the filter '" + name.text() + "' is masked by " + path +
           ", an empty file or a link to /dev/null; remove that, or write a filter there";
}

const FilterSource* FilterSources::find(const std::string& name) const {
    const auto found = sources_.find(name);
    return found == sources_.end() ? nullptr : &found->second;
}

std::string FilterSources::maskOf(const FilterName& name) const {
    if (const auto own = masks_.find(name.text()); own != masks_.end())
        return own->second;
    const auto* source = find(name.text());
    const auto common = masks_.find(templateOf(name.text()));
    return common == masks_.end() || (source != nullptr && source->main) ? std::string() : common->second;
}

// An instance's own file replaces its template's; the drop-ins of both apply, the instance's first.
std::vector<ConfigText> FilterSources::files(const FilterName& name) const {
    const auto* own = find(name.text());
    const auto* common = find(templateOf(name.text()));
    const ConfigText* main = nullptr;
    std::map<std::string, std::optional<ConfigText>> dropIns;
    for (const auto* source : {own, common}) {
        if (source == nullptr)
            continue;
        if (main == nullptr && source->main)
            main = &*source->main;
        dropIns.insert(source->dropIns.begin(), source->dropIns.end());
    }
    if (main == nullptr || !maskOf(name).empty())
        return {};
    std::vector<ConfigText> texts{*main};
    for (const auto& [file, text] : dropIns)
        if (text)
            texts.push_back(*text);
    return texts;
}

bool FilterSources::defines(const FilterName& name) const {
    return !isTemplate(name.text()) &&
           (namesBuiltin(name) || !files(name).empty() || broken_.contains(name.text()) ||
            broken_.contains(templateOf(name.text())));
}

FilterSources::Definition FilterSources::definition(const FilterName& name) const {
    constexpr std::size_t kMostKnown = 8'192; // a template has as many instances as are asked for
    if (const auto known = known_->find(name); known != known_->end())
        return known->second;
    if (known_->size() >= kMostKnown)
        known_->clear();
    return (*known_)[name] = std::make_shared<const Result<FilterDefinition>>(read(name));
}

Result<FilterDefinition> FilterSources::read(const FilterName& name) const {
    if (isTemplate(name.text()))
        return failure(ErrorCode::NoSuchFilter,
                       "'" + name.text() + "' is a template, name an instance of it: " + name.text() +
                           "NAME");
    for (const auto& source : {name.text(), templateOf(name.text())})
        if (const auto broken = broken_.find(source); broken != broken_.end())
            return failure(broken->second);
    const auto texts = files(name);
    if (texts.empty() && namesBuiltin(name))
        return definitionOfBuiltin(name);
    if (const auto mask = maskOf(name); texts.empty() && !mask.empty())
        return failure(ErrorCode::NoSuchFilter, maskedBy(name, mask));
    if (texts.empty())
        return failure(ErrorCode::NoSuchFilter, "no filter '" + name.text() +
                                                    "' is loaded and no file defines it; load it first, or "
                                                    "write /etc/filterd/" +
                                                    name.text() + ".filter");
    Result<FilterDefinition> definition = failure(ErrorCode::Internal, texts.front().path);
    if (const auto read = confine(texts.front().path, [&] { definition = parseFilterFile(name, texts); });
        !read)
        return failure(read.error());
    if (definition && !definition->rules.rules.empty())
        definition->rulesDigest = packet::digestOf(definition->rules);
    return definition;
}

// A template is judged by some instance of it.
std::optional<Error> FilterSources::faultOf(const std::string& name) const {
    const auto filter = FilterName::parse(isTemplate(name) ? name + "i" : name);
    if (!filter)
        return filter.error();
    if (files(*filter).empty() || broken_.contains(templateOf(name)))
        return std::nullopt; // drop-ins of nothing, or told of the template already
    const auto defined = definition(*filter);
    return *defined ? std::nullopt : std::optional(defined->error());
}

std::vector<BrokenFile> FilterSources::keepGood(const FilterSources& last) {
    for (const auto& [name, source] : sources_) // a template comes before its instances
        if (!broken_.contains(name))
            if (auto fault = faultOf(name))
                broken_.emplace(name, std::move(*fault));
    std::vector<BrokenFile> errors;
    for (auto it = broken_.begin(); it != broken_.end();) {
        const auto* good = last.find(it->first);
        const bool wasGood = good != nullptr && !last.broken_.contains(it->first);
        errors.push_back({it->second, wasGood});
        if (!wasGood) {
            sources_.erase(it->first);
            ++it;
            continue;
        }
        sources_.insert_or_assign(it->first, *good);
        it = broken_.erase(it);
    }
    if (!errors.empty())
        forgetRead();
    return errors;
}

std::string FilterSources::definerOf(const FilterName& name) const {
    const auto* own = find(name.text());
    return own != nullptr && own->main ? name.text() : templateOf(name.text());
}

void FilterSources::forgetUnusable(const std::map<FilterName, Error>& failures,
                                   const std::set<FilterName>& loaded) {
    std::set<std::string> unusable;
    for (const auto& [name, error] : failures)
        if (error.code != ErrorCode::NoSuchFilter)
            unusable.insert(definerOf(name));
    for (const auto& name : loaded)
        if (!failures.contains(name))
            unusable.erase(definerOf(name));
    for (const auto& name : unusable)
        sources_.erase(name);
    if (!unusable.empty())
        forgetRead();
}

std::vector<FilterName> FilterSources::names() const {
    std::vector<FilterName> result;
    for (const auto& [name, source] : sources_)
        if (source.main && !isTemplate(name))
            if (auto parsed = FilterName::parse(name))
                result.push_back(std::move(*parsed));
    return result;
}

} // namespace filterd
