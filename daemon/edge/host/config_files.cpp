#include "edge/host/config_files.hpp"

#include "base/files.hpp"
#include "core/queue_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace filterd {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileSize = std::size_t{1} << 20;
constexpr std::string_view kQueueSuffix = ".queue";
constexpr std::string_view kDropInSuffix = ".conf";

Error pathError(const fs::path& path, const std::string& what) {
    return {ErrorCode::BadConfiguration, path.string() + ": " + what};
}

// What a set of directories offers: for each name the file in the highest of them.
struct Offer {
    std::map<std::string, fs::path> files; // in lexical order of the names
    std::map<fs::path, Error> unreadable;  // directories that could not be listed
    std::vector<Error> misnamed;
};

void listInto(Offer& offer, const fs::path& directory, std::string_view suffix) {
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
        auto name = it->path().filename().string();
        if (!name.ends_with(suffix) || name.starts_with('.'))
            continue;
        if (isText(name))
            offer.files.try_emplace(std::move(name), it->path());
        else
            offer.misnamed.push_back(pathError(directory, "holds a file whose name is not UTF-8, rename it"));
    }
    if (error && error != std::errc::no_such_file_or_directory)
        offer.unreadable.try_emplace(directory, pathError(directory, "cannot be listed: " + error.message()));
}

// As systemd: a link to /dev/null masks, and so does an empty file.
bool isMasked(const fs::path& path) {
    struct stat info {};
    std::error_code ignored;
    if (fs::read_symlink(path, ignored) == "/dev/null")
        return true;
    if (::stat(path.c_str(), &info) < 0)
        return false;
    return (S_ISREG(info.st_mode) && info.st_size == 0) ||
           (S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3));
}

Result<ConfigText> readText(const fs::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) < 0)
        return failure(pathError(path, std::string("cannot be read: ") + std::strerror(errno)));
    if (!S_ISREG(info.st_mode))
        return failure(pathError(path, "is not a regular file, replace it, or link it to /dev/null"));
    auto text = readFile(path, kMaxFileSize);
    if (!text && text.error().code == ErrorCode::LimitExceeded)
        return failure(pathError(path, "is larger than 1 MiB, split it"));
    if (!text)
        return failure(text.error().context(path.string()));
    return ConfigText{path.string(), std::move(*text)};
}

// The drop-ins of all roots apply together, ordered by their own names.
Result<std::vector<ConfigText>> readWithDropIns(const std::vector<fs::path>& roots, const std::string& name,
                                                const fs::path& main) {
    Offer dropIns;
    for (const auto& root : roots)
        listInto(dropIns, root / (name + ".d"), kDropInSuffix);
    if (!dropIns.unreadable.empty())
        return failure(dropIns.unreadable.begin()->second);
    if (!dropIns.misnamed.empty())
        return failure(dropIns.misnamed.front());

    std::vector<ConfigText> texts;
    auto add = [&](const fs::path& path) -> Status {
        auto text = readText(path);
        if (!text)
            return failure(text.error());
        texts.push_back(std::move(*text));
        return {};
    };
    if (auto added = add(main); !added)
        return failure(added.error());
    for (const auto& [dropInName, path] : dropIns.files)
        if (!isMasked(path))
            if (auto added = add(path); !added)
                return failure(added.error());
    return texts;
}

std::string fileName(const Rule& rule) { return fs::path(rule.source).filename().string(); }

const Rule* ruleOfFile(const std::vector<Rule>& rules, const std::string& name) {
    const auto found = std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) {
        return rule.source != kBusSource && fileName(rule) == name;
    });
    return found == rules.end() ? nullptr : &*found;
}

// A directory that cannot be listed takes back no rule: what it may still hold stays as it was.
void keepUnlisted(Offer& offer, const std::vector<Rule>& last) {
    for (const auto& rule : last)
        if (offer.unreadable.count(fs::path(rule.source).parent_path()) > 0)
            offer.files[fileName(rule)].clear();
}

} // namespace

ConfigFiles::ConfigFiles(std::vector<fs::path> roots) : roots_(std::move(roots)) {}

Configuration ConfigFiles::read(const Configuration& last) const {
    Configuration configuration;
    Offer offer;
    for (const auto& root : roots_)
        listInto(offer, root, kQueueSuffix);
    auto readable = roots_;
    for (const auto& [directory, error] : offer.unreadable) {
        configuration.errors.push_back(error.message);
        readable.erase(std::remove(readable.begin(), readable.end(), directory), readable.end());
    }
    for (const auto& error : offer.misnamed)
        configuration.errors.push_back(error.message);
    keepUnlisted(offer, last.rules);

    for (const auto& [name, path] : offer.files) {
        const Rule* previous = ruleOfFile(last.rules, name);
        if (path.empty()) {
            configuration.rules.push_back(*previous);
            continue;
        }
        if (isMasked(path))
            continue;
        auto rule = readWithDropIns(readable, name, path).and_then([](const auto& texts) {
            return parseQueueFile(texts);
        });
        if (rule) {
            configuration.rules.push_back(std::move(*rule));
            continue;
        }
        configuration.errors.push_back(rule.error().message);
        if (previous != nullptr)
            configuration.rules.push_back(*previous);
    }
    return configuration;
}

} // namespace filterd
