#include "edge/host/unit_paths.hpp"

#include "base/confine.hpp"
#include "core/names.hpp"
#include "core/unit_name.hpp"
#include "edge/host/config_directory.hpp"

#include <algorithm>
#include <array>

namespace filterd {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDirectorySuffix = ".d";
constexpr std::array<std::string_view, 5> kTypes{"service", "scope", "slice", "socket", "mount"};
constexpr std::size_t kMaxAliases = 16; // links that lead to each other end nowhere

bool isUnitType(std::string_view name) {
    return std::find(kTypes.begin(), kTypes.end(), name) != kTypes.end();
}

bool mentionsUs(const std::string& text) { return text.find(kUnitSection) != std::string::npos; }

class UnitPathReader {
  public:
    explicit UnitPathReader(std::vector<Error>& errors) : errors_(errors) {}

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
        for (auto& [alias, target] : files_.relations.aliases)
            for (std::size_t i = 0; i < kMaxAliases && files_.relations.aliases.contains(target); ++i)
                target = files_.relations.aliases.at(target);
        noteSockets();
        return std::move(files_);
    }

  private:
    [[nodiscard]] bool isKnown(const std::string& name) const {
        return files_.fragments.contains(name) || files_.masked.contains(name) ||
               files_.relations.aliases.contains(name);
    }

    void readEntry(const fs::path& path, std::size_t rank) {
        const auto name = path.filename().string();
        if (name.ends_with(kDirectorySuffix))
            readDirectory(path, name.substr(0, name.size() - kDirectorySuffix.size()), rank);
        else if (isUnitName(name))
            readFragment(path, name);
    }

    void readDirectory(const fs::path& path, const std::string& unit, std::size_t rank) {
        if (!isUnitName(unit) && !isUnitType(unit))
            return;
        Offer offer;
        listInto(offer, path, ".conf");
        for (const auto& [directory, error] : offer.unreadable)
            errors_.push_back(error);
        for (const auto& [file, dropIn] : offer.files) {
            if (std::error_code ignored; !fs::exists(dropIn, ignored))
                continue; // a link that leads nowhere
            if (isMasked(dropIn)) {
                files_.dropIns[unit].push_back({file, rank, std::nullopt});
                whole_.dropIns[unit].push_back({file, rank, std::nullopt});
            } else if (auto text = readText(dropIn)) {
                whole_.dropIns[unit].push_back({file, rank, ofSockets(*text)});
                files_.dropIns[unit].push_back({file, rank, ours(std::move(*text))});
            } else {
                errors_.push_back(text.error());
            }
        }
    }

    // A link to a file of another name is an alias; systemd reads an instance that links to its template as
    // the template.
    void readFragment(const fs::path& path, const std::string& name) {
        if (isKnown(name))
            return;
        if (isMasked(path)) {
            files_.masked.insert(name);
            return;
        }
        std::error_code error;
        if (const auto target = fs::read_symlink(path, error).filename().string();
            !error && target != name && isUnitName(target)) {
            const auto unit = UnitName::parse(name);
            if (!unit || !unit->isInstance() || unit->templateName().text() != target)
                files_.relations.aliases.emplace(name, target);
            return;
        }
        if (!fs::is_regular_file(path, error))
            return; // NAME.wants and the like, and links that lead nowhere
        if (auto text = readText(path)) {
            whole_.fragments.emplace(name, ofSockets(*text));
            files_.fragments.emplace(name, ours(std::move(*text)));
        } else {
            errors_.push_back(text.error());
        }
    }

    void noteSockets() {
        whole_.relations.aliases = files_.relations.aliases;
        for (const auto& [name, file] : whole_.fragments)
            if (auto noted = confine(file.path, [&, &unit = name] { noteUnit(unit); }); !noted)
                errors_.push_back(noted.error());
    }

    void noteUnit(const std::string& name) {
        if (name.ends_with(".socket"))
            noteSocket(files_.relations, name, filesOfUnit(whole_, name));
        else if (name.ends_with(".service"))
            noteService(files_.relations, name, filesOfUnit(whole_, name));
    }

    // What may tell which sockets belong to which service.
    static ConfigText ofSockets(const ConfigText& file) {
        const bool tells =
            file.text.find("[Socket]") != std::string::npos || file.text.find("Sockets") != std::string::npos;
        return {file.path, tells ? file.text : std::string()};
    }

    // Of other units' files it matters only that they are there.
    static ConfigText ours(ConfigText file) {
        if (!mentionsUs(file.text))
            file.text.clear();
        return file;
    }

    std::vector<Error>& errors_;
    UnitFiles files_;
    UnitFiles whole_; // the same with what sockets and services say of each other
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

UnitFiles readUnitFiles(const std::vector<fs::path>& paths, std::vector<Error>& errors) {
    UnitPathReader reader(errors);
    for (std::size_t rank = 0; rank < paths.size(); ++rank)
        reader.readPath(paths[rank], rank);
    return reader.finish();
}

} // namespace filterd
