#include "core/unit_rules.hpp"

#include "core/glob.hpp"
#include "core/queue_file.hpp"

#include <algorithm>
#include <array>

namespace filterd {

namespace {

bool isOurs(std::string_view section) { return section == kUnitSection; }

bool mentionsUs(const ConfigText& file) { return file.text.find("[X-Filterd]") != std::string::npos; }

struct UnitNameParts {
    std::string prefix;                  // "web" of "web@1.service"
    std::optional<std::string> instance; // "1"; empty of a template
    std::string suffix;                  // ".service"
};

UnitNameParts split(const std::string& name) {
    const auto dot = name.rfind('.');
    const auto stem = name.substr(0, dot);
    const auto at = stem.find('@');
    if (at == std::string::npos)
        return {stem, std::nullopt, name.substr(dot)};
    return {stem.substr(0, at), stem.substr(at + 1), name.substr(dot)};
}

std::string join(const UnitNameParts& parts) {
    return parts.prefix + (parts.instance ? "@" + *parts.instance : "") + parts.suffix;
}

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
    const auto parts = split(name);
    const bool isPrefix = parts.prefix.ends_with('-') && parts.prefix.size() > 1;
    if (!isPrefix && (!parts.instance || !parts.instance->empty()))
        return name;
    return escapedForGlob(parts.prefix) + (isPrefix ? "*" : "") + (parts.instance ? "@*" : "") + parts.suffix;
}

std::string primaryName(const UnitFiles& files, const std::string& name) {
    const auto alias = files.relations.aliases.find(name);
    return alias == files.relations.aliases.end() ? name : alias->second;
}

const ConfigText* fragmentOf(const UnitFiles& files, const std::string& name) {
    if (const auto own = files.fragments.find(name); own != files.fragments.end())
        return &own->second;
    if (isType(name))
        return nullptr;
    auto parts = split(name);
    if (!parts.instance || parts.instance->empty())
        return nullptr;
    parts.instance = "";
    const auto common = files.fragments.find(primaryName(files, join(parts)));
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

} // namespace

std::vector<std::string> dropInDirectories(const std::string& unit) {
    if (isType(unit))
        return {unit};
    std::vector<std::string> directories{unit};
    auto parts = split(unit);
    if (parts.instance && !parts.instance->empty()) {
        parts.instance = "";
        directories.push_back(join(parts));
    }
    while (auto shorter = shorterPrefix(parts.prefix)) {
        parts.prefix = std::move(*shorter);
        directories.push_back(join(parts));
    }
    directories.push_back(parts.suffix.substr(1));
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
    UnitRules result;
    std::set<std::string> told; // a drop-in may apply to many
    const auto tell = [&](const Error& error, bool isSurvived = false) {
        if (told.insert(error.message).second)
            result.errors.push_back({error, isSurvived});
    };
    const auto names = mentionedNames(files);
    std::vector<std::string> ordered(names.begin(), names.end());
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
        const bool exactA = targetOf(a) == a;
        const bool exactB = targetOf(b) == b;
        return exactA != exactB ? exactA : !exactA && a.size() > b.size();
    });
    for (const auto& name : ordered) {
        auto target = targetOf(name);
        if (!files.manager.empty())
            target = files.manager + (target == name ? escapedForGlob(name) : target);
        if (target != name)
            if (const auto glob = Glob::compile(target); !glob) {
                tell(glob.error().context(name));
                continue;
            }
        UnitReader reader(target);
        for (const auto& text : filesOfUnit(files, name))
            if (mentionsUs(text))
                reader.read(text);
        const auto rule = reader.take(last);
        for (const auto& error : reader.errors())
            tell(error, rule && rule->broken.empty());
        if (rule)
            result.rules.push_back(*rule);
    }
    return result;
}

} // namespace filterd
