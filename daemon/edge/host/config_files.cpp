// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/config_files.hpp"

#include "base/confine.hpp"
#include "core/config/queue_file.hpp"
#include "edge/host/config_directory.hpp"
#include "edge/host/stray_files.hpp"
#include "edge/host/unit_paths.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace filterd {

namespace {

namespace fs = std::filesystem;

using Paths = std::vector<fs::path>;

bool isOfQueueFile(const Rule& rule) { return rule.source.ends_with(kQueueSuffix); }
std::string fileName(const Rule& rule) { return fs::path(rule.source).filename().string(); }

// A file and its drop-ins, as far as they can be read. The file itself comes first, empty if it cannot.
struct QueueTexts {
    std::vector<ConfigText> texts;
    std::vector<Error> errors;
};

QueueTexts readQueueTexts(const Paths& roots, const std::string& name, const fs::path& main) {
    QueueTexts read;
    auto dropIns = readDropIns(roots, name, read.errors);
    auto text = readText(main);
    if (!text)
        read.errors.push_back(text.error());
    read.texts.push_back(text ? std::move(*text) : ConfigText{main.string(), ""});
    for (auto& [file, dropIn] : dropIns)
        if (dropIn)
            read.texts.push_back(std::move(*dropIn));
    return read;
}

// `main` may be empty: then there are only drop-ins.
Result<FilterSource> readSource(const Paths& roots, const std::string& name, const fs::path& main) {
    std::vector<Error> errors;
    FilterSource source{std::nullopt, readDropIns(roots, name + std::string(kFilterSuffix), errors)};
    if (!errors.empty())
        return failure(errors.front());
    if (main.empty())
        return source;
    auto text = readText(main);
    if (!text)
        return failure(text.error());
    source.main = std::move(*text);
    return source;
}

Result<std::vector<ConfigText>> readFilterFiles(const Paths& roots, const FilterName& name) {
    Offer mains;
    for (const auto& root : roots)
        listInto(mains, root, kFilterSuffix);
    FilterSources sources;
    for (const auto& one : {name.text(), templateOf(name.text())}) {
        const auto main = mains.files.find(one + std::string(kFilterSuffix));
        const bool isListed = main != mains.files.end();
        const bool there = isListed && !isMasked(main->second);
        if (isListed && !there)
            sources.mask(one, main->second.string());
        auto source = readSource(roots, one, there ? main->second : fs::path());
        if (!source)
            return failure(source.error());
        sources.add(one, std::move(*source));
    }
    return sources.files(name);
}

// One reading of everything.
class ConfigReader {
  public:
    ConfigReader(const ConfigPlaces& places, const Configuration& last) : places_(places), last_(last) {}

    Configuration read() {
        readUnits();
        readQueues();
        readFilters();
        handle(places_.root.string(), [&] {
            auto strays = strayFiles(places_.roots, places_.parents);
            next_.warnings.insert(next_.warnings.end(), strays.begin(), strays.end());
        });
        for (auto& rule : next_.rules)
            handle(rule.source, [&] { nameUnits(rule); });
        return std::move(next_);
    }

  private:
    // What goes wrong with one file stops no other.
    template<typename Step>
    void handle(const std::string& file, Step step) {
        if (const auto done = confine(file, step); !done)
            tell(done.error(), false, false);
    }

    void nameUnits(Rule& rule) const {
        for (auto& target : rule.targets)
            if (auto primary = primaryUnit(next_.units, target); checkPattern(primary))
                target = std::move(primary); // else too long to be matched, which stops no other rule
    }

    void tell(const std::vector<Error>& errors) {
        for (const auto& error : errors)
            next_.errors.push_back(error.message);
    }

    void tell(const std::vector<BrokenFile>& files) {
        for (const auto& file : files)
            tell(file, file.isSurvived, file.isHeld);
    }

    void tell(const Error& error, bool isSurvived, bool isHeld = true) {
        next_.errors.push_back(error.message);
        if (isSurvived)
            next_.survived.insert(error.message);
        else if (isHeld)
            next_.held.insert(error.message);
    }

    // The roots that can be listed; of the others nothing is taken back.
    Paths listRoots(Offer& offer, std::string_view suffix) {
        for (const auto& root : places_.roots)
            listInto(offer, root, suffix);
        auto readable = places_.roots;
        for (const auto& [directory, error] : offer.unreadable) {
            if (suffix == kQueueSuffix) // told once
                tell(error, true);
            std::erase(readable, directory);
        }
        tell(offer.misnamed);
        return readable;
    }

    void readUnits() {
        std::vector<Error> errors;
        const auto files = readUnitFiles({places_.unitPaths, places_.root}, errors);
        auto ofUsers = readUnitFiles({places_.userUnitPaths, places_.root, false}, errors);
        ofUsers.manager = kUserManagers;
        if (!errors.empty()) { // what cannot be read may hold anything
            for (const auto& error : errors)
                tell(error, true);
            std::copy_if(last_.rules.begin(), last_.rules.end(), std::back_inserter(next_.rules),
                         [](const Rule& rule) { return !isOfQueueFile(rule) && rule.source != kBusSource; });
        }
        next_.units = files.relations;
        next_.units.userAliases = ofUsers.relations.aliases;
        next_.units.userSockets = ofUsers.relations.sockets;
        next_.units.userSlices = ofUsers.relations.traits.slices;
        next_.units.known.aliasesOfUsers = ofUsers.relations.known.aliasesOfSystem;
        next_.units.known.ofUsers = ofUsers.relations.known.ofSystem;
        for (const auto* some : {&files.warnings, &std::as_const(ofUsers).warnings})
            next_.warnings.insert(next_.warnings.end(), some->begin(), some->end());
        readNameService();
        addRules(files);
        addRules(ofUsers);
    }

    void readNameService() {
        if (places_.nsswitch.empty())
            return;
        if (const auto text = readText(places_.nsswitch))
            next_.units.traits.resolver = resolverIn(text->text, next_.units.traits.started);
    }

    void addRules(const UnitFiles& files) {
        auto units = unitRules(files, last_.rules);
        tell(units.errors);
        next_.warnings.insert(next_.warnings.end(), units.warnings.begin(), units.warnings.end());
        for (auto& rule : units.rules)
            if (std::none_of(next_.rules.begin(), next_.rules.end(),
                             [&](const Rule& kept) { return kept.targets == rule.targets; }))
                next_.rules.push_back(std::move(rule));
    }

    [[nodiscard]] const Rule* lastRuleOf(const std::string& name) const {
        const auto found = std::find_if(last_.rules.begin(), last_.rules.end(), [&](const Rule& rule) {
            return isOfQueueFile(rule) && fileName(rule) == name;
        });
        return found == last_.rules.end() ? nullptr : &*found;
    }

    void readQueues() {
        Offer offer;
        const auto readable = listRoots(offer, kQueueSuffix);
        for (const auto& rule : last_.rules)
            if (isOfQueueFile(rule) && offer.unreadable.contains(fs::path(rule.source).parent_path()))
                offer.files[fileName(rule)].clear();
        for (const auto& [name, path] : offer.files) {
            if (path.empty())
                next_.rules.push_back(*lastRuleOf(name));
            else if (!isMasked(path))
                handle(path.string(), [&, &file = name, &main = path] { readQueue(readable, file, main); });
        }
    }

    void readQueue(const Paths& roots, const std::string& name, const fs::path& path) {
        const auto read = readQueueTexts(roots, name, path);
        auto rule = read.errors.empty() ? parseQueueFile(read.texts) : failure(read.errors.front());
        if (rule) {
            next_.rules.push_back(std::move(*rule));
            return;
        }
        const auto* good = lastRuleOf(name);
        const bool wasGood = good != nullptr && good->broken.empty();
        auto broken = brokenRule(read.texts, rule.error());
        tell(rule.error(), wasGood, broken.has_value());
        if (wasGood)
            next_.rules.push_back(*good);
        else if (broken)
            next_.rules.push_back(std::move(*broken));
    }

    void readFilters() {
        Offer mains;
        Offer dropInDirectories;
        const auto readable = listRoots(mains, kFilterSuffix);
        for (const auto& root : readable)
            listInto(dropInDirectories, root, std::string(kFilterSuffix) + ".d");
        std::set<std::string> names;
        for (const auto& [file, path] : mains.files)
            names.insert(file.substr(0, file.rfind('.')));
        for (const auto& [directory, path] : dropInDirectories.files)
            names.insert(directory.substr(0, directory.size() - kFilterSuffix.size() - 2));
        for (const auto& name : names) {
            const auto main = mains.files.find(name + std::string(kFilterSuffix));
            const auto path = main == mains.files.end() ? fs::path() : main->second;
            handle(path.empty() ? name : path.string(), [&] { readFilter(readable, name, path); });
        }
        for (const auto& [name, source] : last_.filters.all())
            if (source.main && mains.unreadable.contains(fs::path(source.main->path).parent_path()))
                next_.filters.add(name, source);
        tell(next_.filters.keepGood(last_.filters));
    }

    void readFilter(const Paths& roots, const std::string& name, const fs::path& main) {
        const auto valid = FilterName::parse(name);
        if (!valid) {
            tell(valid.error().context(main.string()), false, false);
            return;
        }
        if (valid->text() != name) {
            tell({ErrorCode::InvalidName, main.string() +
                                              ": a comma stands for a colon in the names of filters; "
                                              "rename the file to " +
                                              valid->text() + ".filter"},
                 false, false);
            return;
        }
        if (!main.empty() && isMasked(main)) {
            next_.filters.mask(name, main.string());
            return;
        }
        if (auto source = readSource(roots, name, main))
            next_.filters.add(name, std::move(*source));
        else
            next_.filters.addBroken(name, source.error());
    }

    const ConfigPlaces& places_;
    const Configuration& last_;
    Configuration next_;
};

} // namespace

ConfigPlaces ConfigPlaces::below(const fs::path& given) {
    std::error_code missing;
    const auto canonical =
        fs::weakly_canonical(given, missing); // so that links are compared with what they lead to
    const auto& root = missing ? given : canonical;
    ConfigPlaces places;
    places.root = root;
    for (const auto* directory : {"etc/filterd", "run/filterd", "usr/lib/filterd"})
        places.roots.push_back(root / directory);
    for (const auto& path : systemUnitPaths())
        places.unitPaths.push_back(root / path.relative_path());
    const auto ofUsers = filterd::userUnitPaths();
    for (auto path = ofUsers.begin(); path != ofUsers.end(); ++path) {
        const auto here = root / path->relative_path();
        const bool isAgainBelow = std::any_of(path + 1, ofUsers.end(), [&](const auto& other) {
            std::error_code unknown;
            return fs::equivalent(here, root / other.relative_path(), unknown);
        });
        if (!isAgainBelow) // as /etc/xdg/systemd/user, which is a link
            places.userUnitPaths.push_back(here);
    }
    places.nsswitch = root / "etc/nsswitch.conf";
    for (const auto* parent : {"etc", "etc/systemd", "run", "usr/lib", "usr/local/etc", "usr/local/lib"})
        places.parents.push_back(root / parent);
    return places;
}

Configuration ConfigFiles::read(const Configuration& last) const {
    return ConfigReader(places_, last).read();
}

std::string ConfigFiles::fileOf(const FilterName& filter) const {
    for (const auto& name : {filter.text(), templateOf(filter.text())})
        for (const auto& root : places_.roots) {
            const auto path = root / (name + std::string(kFilterSuffix));
            std::error_code missing;
            if (!name.empty() && fs::exists(fs::symlink_status(path, missing)))
                return isMasked(path) ? std::string() : path.string();
        }
    return {};
}

std::string ConfigFiles::maskOf(const std::string& name) const {
    const auto stem =
        name.ends_with(kFilterSuffix) ? name.substr(0, name.size() - kFilterSuffix.size()) : name;
    const auto filter = FilterName::parse(stem);
    std::vector<std::string> files{name};
    if (filter)
        files = {filter->text() + std::string(kFilterSuffix),
                 templateOf(filter->text()) + std::string(kFilterSuffix)};
    for (const auto& file : files)
        for (const auto& root : places_.roots) {
            std::error_code missing;
            if (file != kFilterSuffix && fs::exists(fs::symlink_status(root / file, missing)))
                return isMasked(root / file) ? (root / file).string() : std::string();
        }
    return {};
}

Result<std::vector<ConfigText>> ConfigFiles::files(const std::string& name) const {
    if (name.ends_with(kQueueSuffix)) {
        Offer offer;
        for (const auto& root : places_.roots)
            listInto(offer, root, kQueueSuffix);
        const auto main = offer.files.find(name);
        if (main == offer.files.end() || isMasked(main->second))
            return std::vector<ConfigText>{};
        auto read = readQueueTexts(places_.roots, name, main->second);
        if (!read.errors.empty())
            return failure(read.errors.front());
        return std::move(read.texts);
    }
    if (isAnyUnitName(name)) {
        std::vector<Error> unreadable; // told by read()
        const auto& paths = isOfUserManager(name) ? places_.userUnitPaths : places_.unitPaths;
        auto texts =
            filesOfUnit(readUnitFiles({paths, places_.root}, unreadable), name.substr(name.find('/') + 1));
        std::erase_if(texts, [](const ConfigText& text) { return text.text.empty(); });
        return texts;
    }
    const auto stem =
        name.ends_with(kFilterSuffix) ? name.substr(0, name.size() - kFilterSuffix.size()) : name;
    const auto filter = FilterName::parse(stem);
    if (!filter)
        return failure(filter.error());
    return readFilterFiles(places_.roots, *filter);
}

} // namespace filterd
