#include "core/names.hpp"

#include <algorithm>
#include <array>

namespace filterd {

namespace {

constexpr std::string_view kFilterAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:@-";
constexpr std::string_view kUnitAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@";
constexpr std::string_view kGlobAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@*?[]!^";
constexpr std::array<std::string_view, 5> kSuffixes{".service", ".scope", ".slice", ".socket", ".mount"};

constexpr std::size_t kFilterNameMax = 128;
constexpr std::size_t kUnitNameMax = 255;

bool consistsOf(std::string_view text, std::string_view alphabet) {
    return text.find_first_not_of(alphabet) == std::string_view::npos;
}

} // namespace

Result<FilterName> FilterName::parse(std::string_view text) {
    if (text.empty() || text.size() > kFilterNameMax || !consistsOf(text, kFilterAlphabet))
        return failure(ErrorCode::InvalidName,
                       "'" + std::string(text.substr(0, kFilterNameMax)) +
                           "' is not a filter name: use 1 to 128 of A-Z a-z 0-9 _ : @ -");
    return FilterName(std::string(text));
}

std::vector<std::string> textsOf(const std::vector<FilterName>& names) {
    std::vector<std::string> texts;
    texts.reserve(names.size());
    for (const auto& name : names)
        texts.push_back(name.text());
    return texts;
}

bool isUnitName(std::string_view text) {
    if (text.size() > kUnitNameMax || !consistsOf(text, kUnitAlphabet))
        return false;
    return std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](std::string_view suffix) {
        return text.size() > suffix.size() && text.ends_with(suffix);
    });
}

Status checkPattern(std::string_view pattern) {
    if (pattern.starts_with('/')) {
        if (pattern.find("/../") != std::string_view::npos || pattern.ends_with("/.."))
            return failure(ErrorCode::InvalidName,
                           "cgroup path '" + std::string(pattern) + "' must not contain '..'");
        return {};
    }
    if (isUnitName(pattern))
        return {};
    const bool isGlob = pattern.find_first_of("*?[") != std::string_view::npos;
    if (isGlob && pattern.size() <= kUnitNameMax && consistsOf(pattern, kGlobAlphabet))
        return {};
    return failure(ErrorCode::InvalidName,
                   "'" + std::string(pattern.substr(0, kUnitNameMax)) +
                       "' is neither a unit name with its suffix (nginx.service), nor a glob over unit names "
                       "(web@*.service), nor an absolute cgroup path");
}

std::string unitOfCgroupName(std::string_view directory) {
    if (directory.starts_with('_'))
        directory.remove_prefix(1);
    return std::string(directory);
}

} // namespace filterd
