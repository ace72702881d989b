// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/config/unit_rules.hpp"

#include "base/confine.hpp"
#include "core/config/queue_file.hpp"
#include "core/model/unit_class.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace filterd {

namespace {

bool isOurs(std::string_view section) { return section == kUnitSection; }

bool mentionsUs(const ConfigText& file) { return file.text.find("[X-Filterd]") != std::string::npos; }

std::optional<UnitName> primaryName(const UnitRelations& relations, const std::string& unit) {
    return UnitName::parse(primaryUnit(relations, unit));
}

const ConfigText* fragmentOf(const UnitFiles& files, const UnitName& unit) {
    if (const auto own = files.fragments.find(unit.text()); own != files.fragments.end())
        return &own->second;
    if (!unit.isInstance())
        return nullptr;
    const auto common = files.fragments.find(primaryUnit(files.relations, unit.templateName().text()));
    return common == files.fragments.end() ? nullptr : &common->second;
}

// The unit's own name first, then its aliases, also those that its template has.
std::vector<UnitName> namesOf(const UnitFiles& files, const UnitName& unit) {
    std::vector<UnitName> names{unit};
    const auto own = unit.text();
    const auto common = unit.isInstance() ? unit.templateName().text() : std::string();
    for (const auto& [alias, primary] : files.relations.aliases) {
        if (alias == primary || (primary != own && primary != common))
            continue;
        auto name = UnitName::parse(alias);
        if (!name || (primary == common && !name->isTemplate()))
            continue;
        if (primary == common)
            name = name->withInstance(unit.instance());
        if (const auto other = files.relations.aliases.find(name->text());
            other == files.relations.aliases.end() || other->second == own) // else it is another unit's
            names.push_back(std::move(*name));
    }
    return names;
}

// systemd's order: for each name of the unit each path, in it the most specific directory first; last the
// type.
std::vector<const UnitDropIn*> dropInsOf(const UnitFiles& files, const UnitName& unit) {
    const auto names = namesOf(files, unit);
    using Place = std::array<std::size_t, 3>;
    std::map<std::string, std::pair<Place, const UnitDropIn*>> chosen; // by file name
    const auto choose = [&](const std::string& directory, std::size_t name, std::size_t depth) {
        const auto found = files.dropIns.find(directory);
        if (found == files.dropIns.end())
            return;
        for (const auto& dropIn : found->second) {
            const Place place{name, dropIn.rank, depth};
            auto& known = chosen.try_emplace(dropIn.file, place, &dropIn).first->second;
            if (place < known.first)
                known = {place, &dropIn};
        }
    };
    for (std::size_t name = 0; name < names.size(); ++name) {
        const auto directories = dropInDirectories(names[name]);
        for (std::size_t depth = 0; depth < directories.size(); ++depth)
            choose(directories[depth], directories[depth] == unit.type() ? names.size() : name, depth);
    }
    std::vector<const UnitDropIn*> result;
    result.reserve(chosen.size());
    for (const auto& [file, entry] : chosen)
        result.push_back(entry.second);
    return result;
}

std::vector<ConfigText> filesOf(const UnitFiles& files, const UnitName& unit) {
    std::vector<ConfigText> texts;
    if (const auto* fragment = fragmentOf(files, unit); fragment != nullptr)
        texts.push_back(*fragment);
    for (const auto* dropIn : dropInsOf(files, unit))
        if (dropIn->text)
            texts.push_back(*dropIn->text);
    return texts;
}

// Everything of which a file says something to us, or may: one that cannot be read.
class MentionedUnits {
  public:
    explicit MentionedUnits(const UnitFiles& files) : files_(files) {
        for (const auto& [name, text] : files.fragments)
            if (isForUs(text))
                if (auto unit = UnitName::parse(name))
                    classes_.insert(UnitClass::ofFragment(std::move(*unit)));
        for (const auto& [directory, dropIns] : files.dropIns)
            if (std::any_of(dropIns.begin(), dropIns.end(),
                            [&](const auto& dropIn) { return dropIn.text && isForUs(*dropIn.text); }))
                addDirectory(directory);
        addAliases();
        classes_ = withCommonParts(std::move(classes_));
        std::erase_if(classes_, [&](const auto& one) { return isNobody(one); });
    }

    [[nodiscard]] const UnitClasses& classes() const { return classes_; }
    [[nodiscard]] const std::set<std::string>& types() const { return types_; }

  private:
    [[nodiscard]] bool isForUs(const ConfigText& text) const {
        return mentionsUs(text) || files_.unreadable.contains(text.path);
    }

    void addDirectory(const std::string& directory) {
        if (auto unit = UnitName::parse(directory))
            classes_.insert(UnitClass::ofDirectory(std::move(*unit)));
        else
            types_.insert(directory);
    }

    // Gives units what is said of their aliases, and of names that begin as these do.
    void addAliases() {
        UnitClasses named;
        for (const auto& [alias, primary] : files_.relations.aliases) {
            const auto name = UnitName::parse(alias);
            if (!name || alias == primary)
                continue;
            for (const auto& one : classes_)
                if (auto unit = unitNamed(*name, primary, one))
                    named.insert(UnitClass::ofFragment(std::move(*unit)));
        }
        classes_.insert(named.begin(), named.end());
    }

    // Returns the unit that an alias names; of a template's alias, the instance that the class has.
    [[nodiscard]] std::optional<UnitName> unitNamed(const UnitName& alias, const std::string& primary,
                                                    const UnitClass& one) const {
        if (!one.holdsPrefixOf(UnitClass::ofFragment(alias)))
            return std::nullopt;
        if (alias.isPlain() != one.name.isPlain() && (alias.isPlain() || !one.below))
            return std::nullopt;
        if (alias.isInstance() && one.name.isInstance() && one.name.instance() != alias.instance())
            return std::nullopt;
        auto unit = UnitName::parse(primary);
        if (!unit || !alias.isTemplate() || !one.name.isInstance())
            return unit;
        const auto instance = alias.withInstance(one.name.instance()).text();
        return files_.relations.aliases.contains(instance) // it has a file, or leads elsewhere
                   ? std::nullopt
                   : std::optional(unit->withInstance(one.name.instance()));
    }

    // A masked unit does not start, and no unit has the name of an alias. Of a template this is so unless an
    // instance has a file of its own.
    [[nodiscard]] bool isNobody(const UnitClass& one) const {
        if (one.below)
            return false;
        const auto name = one.name.text();
        if (!files_.masked.contains(name) && primaryUnit(files_.relations, name) == name)
            return false;
        const auto next = files_.fragments.lower_bound(one.name.prefix() + "@");
        return !one.name.isTemplate() || next == files_.fragments.end() ||
               !next->first.starts_with(one.name.prefix() + "@");
    }

    const UnitFiles& files_;
    UnitClasses classes_;
    std::set<std::string> types_;
};

class UnitReader {
  public:
    explicit UnitReader(const std::string& target) { rule_.targets = {target}; }

    // A file that cannot be read may say anything.
    void readNothing(const std::string& path, const Error& error) { note(path, error); }

    void read(const ConfigText& file) {
        if (const auto parsed = parseUnitFile(file.path, file.text, isOurs); !parsed)
            note(file.path, parsed.error());
        const auto parts = readableParts(file.path, file.text, isOurs);
        for (const auto& section : parts.sections)
            sections_.push_back({file.path, section.line});
        for (const auto& entry : parts.entries) {
            if (isForeign(entry.key))
                continue;
            if (rule_.source.empty())
                rule_.source = file.path;
            if (auto applied = applyQueueSetting(file.path, entry, rule_); !applied)
                note(file.path, applied.error());
        }
    }

    [[nodiscard]] const std::vector<Error>& errors() const { return errors_; }

    // Returns where the sections stand if none of them assigns anything.
    [[nodiscard]] std::vector<std::string> emptySections() const {
        std::vector<std::string> places;
        if (rule_.source.empty())
            for (const auto& [path, line] : sections_)
                places.push_back(path + ":" + std::to_string(line));
        return places;
    }

    // None when no file assigns anything.
    std::optional<Rule> take(const std::vector<Rule>& last) {
        if (!rule_.broken.empty())
            if (const auto* known = goodIn(last); known != nullptr)
                return *known;
        return rule_.source.empty() ? std::nullopt : std::optional(std::move(rule_));
    }

    [[nodiscard]] const Rule* goodIn(const std::vector<Rule>& last) const {
        const auto known = std::find_if(last.begin(), last.end(), [&](const Rule& rule) {
            return rule.targets == rule_.targets && rule.broken.empty() && !rule.source.ends_with(".queue");
        });
        return known == last.end() ? nullptr : &*known;
    }

  private:
    void note(const std::string& path, const Error& error) {
        errors_.push_back(error);
        if (rule_.broken.empty())
            rule_.broken = error.message;
        if (rule_.source.empty())
            rule_.source = path;
    }

    Rule rule_;
    std::vector<Error> errors_;
    std::vector<std::pair<std::string, std::size_t>> sections_; // file and line
};

class RuleCollector {
  public:
    RuleCollector(const UnitFiles& files, const std::vector<Rule>& last) : files_(files), last_(last) {}

    void addAll() {
        const MentionedUnits mentioned(files_);
        for (const auto& one : mentioned.classes())
            confined(one.name.text(), [&] { addClass(one); });
        for (const auto& type : mentioned.types())
            confined(type, [&] { addType(type); });
        for (const auto& error : files_.misplaced)
            tell({error, false, false});
    }

    UnitRules take() { return std::move(result_); }

  private:
    template<typename Step>
    void confined(const std::string& name, Step step) {
        if (const auto done = confine(name, step); !done)
            tell({done.error(), false, false});
    }

    void addClass(const UnitClass& one) {
        add(files_.manager + one.target(), filesOf(files_, one.representative()), true);
    }

    // What cannot be read there does not stop the units of a whole type.
    void addType(const std::string& type) {
        std::map<std::string, const UnitDropIn*> chosen;
        for (const auto& dropIn : files_.dropIns.at(type)) {
            auto& highest = chosen.try_emplace(dropIn.file, &dropIn).first->second;
            if (dropIn.rank < highest->rank)
                highest = &dropIn;
        }
        std::vector<ConfigText> texts;
        for (const auto& [file, dropIn] : chosen)
            if (dropIn->text)
                texts.push_back(*dropIn->text);
        add(files_.manager + "*." + type, texts, false);
    }

    void add(const std::string& target, const std::vector<ConfigText>& texts, bool isHeld) {
        UnitReader reader(target);
        for (const auto& text : texts)
            if (const auto unreadable = files_.unreadable.find(text.path);
                unreadable != files_.unreadable.end())
                takeUnreadable(reader, text.path, unreadable->second, isHeld);
            else if (mentionsUs(text))
                reader.read(text);
        for (const auto& place : reader.emptySections())
            warn(place + ": [X-Filterd] is empty, which gives its units no filter: write IngressFilter= or "
                         "EgressFilter= below it, or take it out");
        const auto rule = reader.take(last_);
        for (const auto& error : reader.errors())
            tell({error, rule && rule->broken.empty()});
        if (rule)
            result_.rules.push_back(*rule);
    }

    // Where the unit had a rule it keeps it. What is missing systemd does not see either.
    void takeUnreadable(UnitReader& reader, const std::string& path, const UnreadableFile& file,
                        bool isHeld) {
        if (reader.goodIn(last_) != nullptr || (isHeld && !file.isMissing))
            reader.readNothing(path, file.error);
        else
            tell({file.error, false, false});
    }

    void tell(const BrokenFile& file) {
        if (told_.insert(file.message).second) // a drop-in may apply to many
            result_.errors.push_back(file);
    }

    void warn(std::string warning) {
        if (told_.insert(warning).second)
            result_.warnings.push_back(std::move(warning));
    }

    const UnitFiles& files_;
    const std::vector<Rule>& last_;
    UnitRules result_;
    std::set<std::string> told_;
};

} // namespace

std::vector<ConfigText> filesOfUnit(const UnitFiles& files, const std::string& unit) {
    auto name = primaryName(files.relations, unit);
    if (!name)
        return {};
    return filesOf(files, UnitClass::ofFragment(std::move(*name)).representative());
}

UnitRules unitRules(const UnitFiles& files, const std::vector<Rule>& last) {
    RuleCollector collector(files, last);
    collector.addAll();
    return collector.take();
}

} // namespace filterd
