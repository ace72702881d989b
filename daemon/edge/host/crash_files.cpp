// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/crash_files.hpp"

#include "base/files.hpp"
#include "base/log.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace filterd {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kToBlame = 2; // times
constexpr std::size_t kMostThings = 256;
constexpr std::size_t kLongest = 1'024; // bytes of a name of a thing
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

std::string contentOf(int file) {
    std::array<char, kLongest> text{};
    const auto length = ::pread(file, text.data(), text.size(), 0);
    return {text.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
}

} // namespace

CrashFiles::CrashFiles(const std::filesystem::path& directory) : path_(directory / "crashes") {
    readCrashes();
    const auto path = directory / "doing";
    doing_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!doing_) {
        log::warning(systemError("open " + path.string(), errno)
                         .context("what filterd does when it ends is not remembered"));
        return;
    }
    const auto thing = contentOf(doing_.get());
    doing({});
    if (!thing.empty())
        add(thing, {1, "filterd has ended twice while it was at it"});
}

void CrashFiles::readCrashes() {
    std::error_code ignored;
    if (!std::filesystem::exists(path_, ignored))
        return;
    const auto text = readFile(path_, kMostBytes);
    try {
        if (!text)
            return log::warning(text.error());
        const auto document = Json::parse(*text);
        if (document.at("version") != FILTERD_VERSION)
            return; // what ended another filterd need not end this one
        for (const auto& one : document.at("crashes"))
            crashes_[one.at("thing").get<std::string>()] = {one.at("times").get<std::size_t>(),
                                                            one.at("how").get<std::string>()};
    } catch (const Json::exception& error) {
        crashes_.clear();
        log::warning(path_.string() + ": cannot be read, and is written anew: " + error.what());
    }
}

std::optional<std::string> CrashFiles::against(const std::string& thing) const {
    const auto found = crashes_.find(thing);
    if (found == crashes_.end() || found->second.times < kToBlame)
        return {};
    return found->second.how + "; it is not tried again until somebody asks for it: 'filterctl reload' does";
}

void CrashFiles::blame(const std::string& thing, const std::string& how) { add(thing, {kToBlame, how}); }

void CrashFiles::add(const std::string& thing, Crash crash) {
    if (crashes_.size() >= kMostThings && !crashes_.contains(thing))
        return; // that many are tried again once for each daemon
    auto& known = crashes_[thing];
    known = {known.times + crash.times, std::move(crash.how)};
    save();
}

void CrashFiles::forgive(const std::string& thing) {
    if (crashes_.erase(thing) > 0)
        save();
}

void CrashFiles::forgiveAll() {
    if (crashes_.empty())
        return;
    crashes_.clear();
    save();
}

void CrashFiles::save() const {
    auto list = Json::array();
    for (const auto& [thing, crash] : crashes_)
        list.push_back({{"thing", thing}, {"times", crash.times}, {"how", crash.how}});
    const Json document{{"version", FILTERD_VERSION}, {"crashes", std::move(list)}};
    if (auto saved = replaceFile(path_, document.dump(1, ' ', false, Json::error_handler_t::replace)); !saved)
        log::warning(saved.error().context("what ended a process of filterd is not remembered"));
}

std::string CrashFiles::doing(const std::string& thing) {
    const auto text = std::string_view(thing).substr(0, kLongest);
    if (doing_ && (::ftruncate(doing_.get(), 0) < 0 ||
                   ::pwrite(doing_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())))
        log::warning(systemError("write down what filterd does", errno));
    return std::exchange(now_, thing);
}

} // namespace filterd
