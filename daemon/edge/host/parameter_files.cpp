// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/parameter_files.hpp"

#include "base/files.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace filterd {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxSize = std::size_t{64} << 20;
constexpr int kIndent = 2;

} // namespace

std::filesystem::path ParameterFiles::fileOf(const FilterName& filter) const {
    return directory_ / (filter.text() + ".json");
}

Result<std::map<std::string, std::string>> ParameterFiles::load(const FilterName& filter) {
    const auto file = fileOf(filter);
    std::error_code missing;
    if (!std::filesystem::exists(file, missing))
        return std::map<std::string, std::string>();
    const auto text = readFile(file, kMaxSize);
    if (!text)
        return failure(text.error());
    try {
        return json::parse(*text).get<std::map<std::string, std::string>>();
    } catch (const json::exception&) {
        return failure(ErrorCode::BadConfiguration,
                       file.string() +
                           ": the file is damaged and holds no JSON object of strings: no saved value of "
                           "filter '" +
                           filter.text() + "' is used; correct the file or remove it");
    }
}

Status ParameterFiles::save(const FilterName& filter, const std::map<std::string, std::string>& values) {
    std::error_code error;
    if (values.empty()) {
        std::filesystem::remove(fileOf(filter), error);
        return error ? failure(systemError("remove " + fileOf(filter).string(), error.value())) : Status{};
    }
    std::filesystem::create_directories(directory_, error);
    if (error)
        return failure(systemError("make " + directory_.string(), error.value()));
    try {
        return replaceFile(fileOf(filter), json(values).dump(kIndent) + "\n");
    } catch (const json::exception&) {
        return failure(ErrorCode::InvalidArgument, "a value that is no UTF-8 text cannot be kept");
    }
}

std::vector<std::string> ParameterFiles::faults() {
    std::vector<std::string> faults;
    for (const auto& filter : filters())
        if (const auto kept = load(filter); !kept)
            faults.push_back(kept.error().message);
    return faults;
}

std::vector<FilterName> ParameterFiles::filters() const {
    std::vector<FilterName> names;
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(directory_, missing))
        if (entry.path().extension() == ".json")
            if (auto name = FilterName::parse(entry.path().stem().string()))
                names.push_back(std::move(*name));
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace filterd
