// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/unit_paths.hpp"

#include "base/confine.hpp"
#include "core/model/names.hpp"
#include "core/model/unit_name.hpp"
#include "core/units/instances.hpp"
#include "core/units/unit_link.hpp"
#include "core/warnings/misplaced_settings.hpp"
#include "edge/host/config_directory.hpp"
#include "edge/host/stray_unit_files.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace filterd {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDirectorySuffix = ".d";
constexpr std::array<std::string_view, 5> kTypes{"service", "scope", "slice", "socket", "mount"};
// systemd's other types: their units have no processes, or none but a helper's.
constexpr std::array<std::string_view, 6> kTypesWithoutPackets{"target", "timer",     "path",
                                                               "device", "automount", "swap"};
constexpr std::size_t kMaxAliases = 8; // as many links as systemd follows

bool isUnitType(std::string_view name) {
    return std::find(kTypes.begin(), kTypes.end(), name) != kTypes.end();
}

bool isWithoutPackets(std::string_view name) {
    const auto type = name.substr(name.rfind('.') + 1); // the whole if there is no dot: "timer" of "timer.d"
    return std::find(kTypesWithoutPackets.begin(), kTypesWithoutPackets.end(), type) !=
           kTypesWithoutPackets.end();
}

bool isOurSection(std::string_view section) { return section == kUnitSection; }
bool mentionsUs(const std::string& text) { return text.find(kUnitSection) != std::string::npos; }

// Where the link leads, as systemd sees it: the links on the way are followed, the last one is not.
std::string targetOfLink(const fs::path& link, const fs::path& target, const fs::path& root) {
    std::error_code ignored;
    const auto whole = target.is_absolute() ? root / target.relative_path() : link.parent_path() / target;
    const auto directory = fs::weakly_canonical(whole.parent_path(), ignored);
    return ((ignored ? whole.parent_path().lexically_normal() : directory) / whole.filename()).string();
}

class UnitPathReader {
  public:
    UnitPathReader(const UnitPaths& paths, std::vector<Error>& errors)
        : root_(paths.root), areAll_(paths.areAll), errors_(errors) {
        for (const auto& path : paths.paths)
            pathNames_.push_back(path.string());
    }

    void readPath(const fs::path& path, std::size_t rank) {
        std::error_code error;
        for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
            const auto entry = it->path();
            if (auto read = confine(entry.string(), [&] { readEntry(entry, rank); }); !read)
                errors_.push_back(read.error());
        }
        if (error && error != std::errc::no_such_file_or_directory)
            errors_.push_back(pathError(path, "cannot be listed: " + error.message()));
    }

    UnitFiles finish() {
        for (const auto& name : seen_) // what has a file of its own is not the alias that its template is
            if (!files_.relations.aliases.contains(name) && primaryUnit(files_.relations, name) != name &&
                hasFile(name))
                files_.relations.aliases.emplace(name, name);
        for (auto& [alias, primary] : files_.relations.aliases)
            primary = endOf(primary);
        std::erase_if(files_.relations.aliases, [&](const auto& alias) { return !mayExist(alias.second); });
        noteRelations();
        noteUnits();
        for (auto& warning : strays_.warnings(files_.relations.known.ofSystem))
            files_.warnings.push_back(std::move(warning));
        return std::move(files_);
    }

  private:
    [[nodiscard]] bool hasFile(const std::string& name) const {
        return files_.fragments.contains(name) || files_.masked.contains(name);
    }

    // Links that lead to each other end nowhere: at a name without a file.
    [[nodiscard]] std::string endOf(std::string name) const {
        for (std::size_t i = 0; i < kMaxAliases; ++i) {
            auto next = primaryUnit(files_.relations, name);
            if (next == name)
                return name;
            name = std::move(next);
        }
        return {};
    }

    [[nodiscard]] bool mayExist(const std::string& name) const {
        const auto unit = UnitName::parse(name);
        return unit && (!areAll_ || hasFile(name) ||
                        (unit->isInstance() && hasFile(endOf(unit->templateName().text()))));
    }

    void readEntry(const fs::path& path, std::size_t rank) {
        const auto name = path.filename().string();
        std::error_code ignored;
        if (name.starts_with('.'))
            strays_.noteHidden(path, "");
        else if (name.ends_with(".wants") || name.ends_with(".requires") || name.ends_with(".upholds"))
            noteStarted(path);
        else if (name.ends_with(kDirectorySuffix))
            readDirectory(path, name.substr(0, name.size() - kDirectorySuffix.size()), rank);
        else if (isWithoutPackets(name))
            noteMisplaced(path);
        else if (fs::is_directory(path, ignored))
            strays_.noteFolder(path, name, false);
        else if (isUnitName(name) && !seen_.contains(name))
            readFragment(path, name);
        else if (isLeftBehind(name))
            strays_.noteCopy(path, "");
        else if (!isUnitName(name))
            strays_.note(path, "");
    }

    void noteMisplaced(const fs::path& path) {
        std::error_code ignored;
        if (!fs::is_regular_file(path, ignored))
            return;
        if (const auto text = readText(path);
            text && !readableParts(text->path, text->text, isOurSection).sections.empty())
            files_.misplaced.push_back(pathError(
                path, "[X-Filterd] has no effect in a unit of this type, which has no packets; write it for "
                      "a .service, .socket, .scope, .slice or .mount"));
    }

    void readDirectory(const fs::path& path, const std::string& unit, std::size_t rank) {
        if (isWithoutPackets(unit)) {
            Offer offer;
            listInto(offer, path, ".conf");
            for (const auto& [file, dropIn] : offer.files)
                noteMisplaced(dropIn);
        }
        strays_.noteFolder(path, unit, isUnitName(unit) || isUnitType(unit) || isWithoutPackets(unit));
        if (!isUnitName(unit) && !isUnitType(unit))
            return;
        Offer offer;
        listInto(offer, path, ".conf");
        for (const auto& [directory, error] : offer.unreadable)
            addUnreadable(unit, path.string(), rank, directory, {error});
        for (const auto& error : offer.misnamed)
            addUnreadable(unit, path.string(), rank, path, {error});
        for (const auto& [file, dropIn] : offer.files)
            readDropIn(unit, file, rank, dropIn);
    }

    void readDropIn(const std::string& unit, const std::string& file, std::size_t rank,
                    const fs::path& path) {
        if (isMasked(path)) {
            files_.dropIns[unit].push_back({file, rank, std::nullopt});
            whole_.dropIns[unit].push_back({file, rank, std::nullopt});
            return;
        }
        auto text = readUnit(path);
        if (!text) {
            addUnreadable(unit, file, rank, path, std::move(text.error()));
        } else if (*text) {
            noteUnread(**text);
            whole_.dropIns[unit].push_back({file, rank, ofRelations(**text)});
            files_.dropIns[unit].push_back({file, rank, ours(std::move(**text))});
        }
    }

    void addUnreadable(const std::string& unit, const std::string& file, std::size_t rank,
                       const fs::path& path, UnreadableFile unreadable) {
        files_.dropIns[unit].push_back({file, rank, ConfigText{path.string(), {}}});
        files_.unreadable.insert_or_assign(path.string(), std::move(unreadable));
    }

    void readFragment(const fs::path& path, const std::string& name) {
        if (isMasked(path)) {
            seen_.insert(name);
            files_.masked.insert(name);
            return;
        }
        std::error_code noLink;
        if (const auto target = fs::read_symlink(path, noLink); !noLink) {
            const auto link = meaningOfLink(name, targetOfLink(path, target, root_), pathNames_);
            if (link.meaning != UnitLink::Meaning::Nothing)
                seen_.insert(name);
            if (link.meaning == UnitLink::Meaning::Alias && link.primary != name)
                files_.relations.aliases.emplace(name, link.primary);
            if (link.meaning != UnitLink::Meaning::Linked)
                return;
        }
        addFragment(path, name);
    }

    void addFragment(const fs::path& path, const std::string& name) {
        auto text = readUnit(path);
        if (!text) {
            files_.fragments.emplace(name, ConfigText{path.string(), {}});
            files_.unreadable.insert_or_assign(path.string(), std::move(text.error()));
        } else if (*text) {
            noteUnread(**text);
            whole_.fragments.emplace(name, ofRelations(**text));
            files_.fragments.emplace(name, ours(std::move(**text)));
        } else {
            return;
        }
        seen_.insert(name);
    }

    // Nothing for what is no file, such as a directory: systemd does not read it either.
    [[nodiscard]] tl::expected<std::optional<ConfigText>, UnreadableFile>
    readUnit(const fs::path& path) const {
        std::error_code error;
        const auto status = fs::status(path, error);
        if (status.type() == fs::file_type::not_found)
            return tl::unexpected(UnreadableFile{
                pathError(path,
                          "is a link that leads nowhere; what it should say is not known, mend or remove it"),
                true});
        if (status.type() != fs::file_type::regular && status.type() != fs::file_type::none)
            return std::nullopt;
        auto text = readText(path);
        if (!text)
            return tl::unexpected(UnreadableFile{text.error()});
        return std::optional(std::move(*text));
    }

    // What a target, or another unit, has in its .wants/ or .requires/ is started with it.
    void noteStarted(const fs::path& directory) {
        std::error_code error;
        for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
            files_.relations.traits.started.insert(it->path().filename().string());
    }

    // Notes what is meant for filterd and stands where nobody reads it.
    void noteUnread(const ConfigText& file) {
        for (auto& warning : misplacedSettings(file))
            files_.warnings.push_back(std::move(warning));
    }

    void noteUnits() {
        auto& known = files_.relations.known.ofSystem;
        for (const auto& [name, file] : files_.fragments)
            known.insert(name);
        for (const auto& [alias, target] : files_.relations.aliases) {
            known.insert(alias);
            if (alias != target)
                files_.relations.known.aliasesOfSystem.insert(alias);
        }
        known.insert(files_.masked.begin(), files_.masked.end());
        for (const auto& [unit, made] : files_.relations.traits.madeUnits)
            known.insert(made.begin(), made.end());
        for (const auto& [unit, slice] : files_.relations.traits.slices)
            if (const auto name = UnitName::parse(unit)) // the instances of a template may have one each
                known.insert(withoutSpecifiers(slice, name->isTemplate() ? name->withInstance("*") : *name));
    }

    void noteRelations() {
        whole_.relations.aliases = files_.relations.aliases;
        for (const auto& [name, file] : whole_.fragments)
            if (auto noted = confine(file.path, [&, &unit = name] { noteUnit(unit); }); !noted)
                errors_.push_back(noted.error());
        for (const auto& [name, dropIns] : whole_.dropIns) // instances of which the template has the file
            if (!whole_.fragments.contains(name) && whole_.fragments.contains(templateOfInstance(name)))
                if (auto noted = confine(name, [&, &unit = name] { noteUnit(unit); }); !noted)
                    errors_.push_back(noted.error());
        std::set<std::string> started; // by whatever name a link has
        for (const auto& name : files_.relations.traits.started)
            started.insert(primaryUnit(files_.relations, name));
        files_.relations.traits.started.merge(started);
    }

    void noteUnit(const std::string& name) {
        const auto texts = filesOfUnit(whole_, name);
        if (name.ends_with(".socket"))
            noteSocket(files_.relations, name, texts);
        noteDemands(files_.relations, name, texts);
        noteTraits(files_.relations.traits, name, texts);
        for (auto& warning : impossibleDemands(name, texts))
            files_.warnings.push_back(std::move(warning));
    }

    // Returns what may tell of other units and of what is peculiar to this one.
    static ConfigText ofRelations(const ConfigText& file) {
        const bool tells = file.text.find("[Socket]") != std::string::npos ||
                           file.text.find("Sockets") != std::string::npos ||
                           file.text.find(".socket") != std::string::npos ||
                           file.text.find(kEnsurePrefix) != std::string::npos || mayTellTraits(file.text);
        return {file.path, tells ? file.text : std::string()};
    }

    // Of other units' files it matters only that they are there.
    static ConfigText ours(ConfigText file) {
        if (!mentionsUs(file.text))
            file.text.clear();
        return file;
    }

    fs::path root_;
    bool areAll_;
    std::vector<std::string> pathNames_;
    std::vector<Error>& errors_;
    std::set<std::string> seen_; // of the highest path that has them
    StrayUnitFiles strays_;
    UnitFiles files_;
    UnitFiles whole_; // the same with what units say of each other, and of themselves
};

} // namespace

std::vector<fs::path> systemUnitPaths() {
    return {"/etc/systemd/system.control",   "/run/systemd/system.control",  "/run/systemd/transient",
            "/run/systemd/generator.early",  "/etc/systemd/system",          "/etc/systemd/system.attached",
            "/run/systemd/system",           "/run/systemd/system.attached", "/run/systemd/generator",
            "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",      "/run/systemd/generator.late"};
}

std::vector<fs::path> userUnitPaths() {
    return {"/etc/xdg/systemd/user",         "/etc/systemd/user",       "/run/systemd/user",
            "/usr/local/share/systemd/user", "/usr/share/systemd/user", "/usr/local/lib/systemd/user",
            "/usr/lib/systemd/user"};
}

UnitFiles readUnitFiles(const UnitPaths& paths, std::vector<Error>& errors) {
    UnitPathReader reader(paths, errors);
    for (std::size_t rank = 0; rank < paths.paths.size(); ++rank)
        reader.readPath(paths.paths[rank], rank);
    return reader.finish();
}

} // namespace filterd
