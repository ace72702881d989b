#include "core/unit_rules.hpp"

#include "base/confine.hpp"
#include "core/glob.hpp"
#include "core/queue_file.hpp"
#include "core/unit_name.hpp"

#include <algorithm>
#include <array>

namespace filterd {

namespace {

bool isOurs(std::string_view section) { return section == kUnitSection; }

bool mentionsUs(const ConfigText& file) { return file.text.find("[X-Filterd]") != std::string::npos; }

// "a-b-c" and "a-b-" are below "a-", and that is below nothing.
std::optional<std::string> shorterPrefix(std::string prefix) {
    if (prefix.ends_with('-'))
        prefix.pop_back();
    const auto dash = prefix.rfind('-');
    if (dash == std::string::npos)
        return std::nullopt;
    return prefix.substr(0, dash + 1);
}

bool isType(const std::string& directory) { return directory.find('.') == std::string::npos; }

std::string escapedForGlob(const std::string& text) {
    std::string escaped;
    for (const char c : text)
        escaped += c == '\\' ? std::string("\\\\") : std::string(1, c);
    return escaped;
}

// The unit, or the glob over all units, to which a drop-in directory or a fragment of this name applies.
std::string targetOf(const std::string& name) {
    if (isType(name))
        return "*." + name;
    const auto unit = UnitName::parse(name);
    if (!unit || (!unit->isPrefix() && !unit->isTemplate()))
        return name;
    return escapedForGlob(unit->prefix()) + (unit->isPrefix() ? "*" : "") + (unit->isPlain() ? "" : "@*") +
           "." + unit->type();
}

std::string primaryName(const UnitFiles& files, const std::string& name) {
    const auto alias = files.relations.aliases.find(name);
    return alias == files.relations.aliases.end() ? name : alias->second;
}

const ConfigText* fragmentOf(const UnitFiles& files, const std::string& name) {
    if (const auto own = files.fragments.find(name); own != files.fragments.end())
        return &own->second;
    const auto unit = UnitName::parse(name);
    if (!unit || !unit->isInstance())
        return nullptr;
    const auto common = files.fragments.find(primaryName(files, unit->templateName().text()));
    return common == files.fragments.end() ? nullptr : &common->second;
}

// systemd's order: for each name of the unit each path, in it the most specific directory first; last the
// type.
std::vector<const UnitDropIn*> dropInsOf(const UnitFiles& files, const std::string& unit) {
    std::vector<std::string> names{unit};
    for (const auto& [alias, primary] : files.relations.aliases)
        if (primary == unit)
            names.push_back(alias);
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
            choose(directories[depth], isType(directories[depth]) ? names.size() : name, depth);
    }
    std::vector<const UnitDropIn*> result;
    result.reserve(chosen.size());
    for (const auto& [file, entry] : chosen)
        result.push_back(entry.second);
    return result;
}

// Everything of which a file says something to us: units, templates, prefixes, types.
std::set<std::string> mentionedNames(const UnitFiles& files) {
    std::set<std::string> names;
    for (const auto& [name, text] : files.fragments)
        if (mentionsUs(text))
            names.insert(name);
    for (const auto& [directory, dropIns] : files.dropIns)
        for (const auto& dropIn : dropIns)
            if (dropIn.text && mentionsUs(*dropIn.text))
                names.insert(primaryName(files, directory));
    std::erase_if(names, [&](const auto& name) { return files.masked.contains(name); });
    return names;
}

class UnitReader {
  public:
    explicit UnitReader(const std::string& target) { rule_.targets = {target}; }

    void read(const ConfigText& file) {
        if (const auto parsed = parseUnitFile(file.path, file.text, isOurs); !parsed)
            note(file.path, parsed.error());
        for (const auto& entry : readableParts(file.path, file.text, isOurs).entries) {
            if (isForeign(entry.key))
                continue;
            if (rule_.source.empty())
                rule_.source = file.path;
            if (auto applied = applyQueueSetting(file.path, entry, rule_); !applied)
                note(file.path, applied.error());
        }
    }

    [[nodiscard]] const std::vector<Error>& errors() const { return errors_; }

    // None when no file assigns anything.
    std::optional<Rule> take(const std::vector<Rule>& last) {
        if (!rule_.broken.empty())
            for (const auto& known : last)
                if (known.targets == rule_.targets && known.broken.empty() &&
                    !known.source.ends_with(".queue"))
                    return known;
        return rule_.source.empty() ? std::nullopt : std::optional(std::move(rule_));
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
};

class RuleCollector {
  public:
    RuleCollector(const UnitFiles& files, const std::vector<Rule>& last) : files_(files), last_(last) {}

    void add(const std::string& name) {
        auto target = targetOf(name);
        if (!files_.manager.empty())
            target = files_.manager + (target == name ? escapedForGlob(name) : target);
        if (target != name)
            if (const auto glob = Glob::compile(target); !glob)
                return tell(glob.error().context(name));
        UnitReader reader(target);
        for (const auto& text : filesOfUnit(files_, name))
            if (mentionsUs(text))
                reader.read(text);
        const auto rule = reader.take(last_);
        for (const auto& error : reader.errors())
            tell(error, rule && rule->broken.empty());
        if (rule)
            result_.rules.push_back(*rule);
    }

    void tell(const Error& error, bool isSurvived = false) {
        if (told_.insert(error.message).second) // a drop-in may apply to many
            result_.errors.push_back({error, isSurvived});
    }

    UnitRules take() { return std::move(result_); }

  private:
    const UnitFiles& files_;
    const std::vector<Rule>& last_;
    UnitRules result_;
    std::set<std::string> told_;
};

} // namespace

std::vector<std::string> dropInDirectories(const std::string& unit) {
    std::vector<std::string> directories{unit};
    auto name = UnitName::parse(unit);
    if (!name)
        return directories; // a type
    if (name->isInstance()) {
        name = name->templateName();
        directories.push_back(name->text());
    }
    while (auto shorter = shorterPrefix(name->prefix())) {
        name = name->withPrefix(std::move(*shorter));
        directories.push_back(name->text());
    }
    directories.push_back(name->type());
    return directories;
}

std::vector<ConfigText> filesOfUnit(const UnitFiles& files, const std::string& unit) {
    std::vector<ConfigText> texts;
    if (const auto* fragment = fragmentOf(files, unit); fragment != nullptr)
        texts.push_back(*fragment);
    for (const auto* dropIn : dropInsOf(files, unit))
        if (dropIn->text)
            texts.push_back(*dropIn->text);
    return texts;
}

UnitRules unitRules(const UnitFiles& files, const std::vector<Rule>& last) {
    const auto names = mentionedNames(files);
    std::vector<std::string> ordered(names.begin(), names.end());
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
        const bool exactA = targetOf(a) == a;
        const bool exactB = targetOf(b) == b;
        return exactA != exactB ? exactA : !exactA && a.size() > b.size();
    });
    RuleCollector collector(files, last);
    for (const auto& name : ordered)
        if (const auto read = confine(name, [&] { collector.add(name); }); !read)
            collector.tell(read.error());
    return collector.take();
}

} // namespace filterd
