#include "edge/host/parameter_files.hpp"

#include "base/files.hpp"

#include <nlohmann/json.hpp>

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
        return failure(ErrorCode::BadConfiguration, file.string() +
                                                        " is damaged: it holds no JSON object of texts; "
                                                        "correct it or remove it");
    }
}

Status ParameterFiles::save(const FilterName& filter, const std::map<std::string, std::string>& values) {
    std::error_code error;
    std::filesystem::create_directories(directory_, error);
    if (error)
        return failure(systemError("make " + directory_.string(), error.value()));
    try {
        return replaceFile(fileOf(filter), json(values).dump(kIndent) + "\n");
    } catch (const json::exception&) {
        return failure(ErrorCode::InvalidArgument, "a value that is no UTF-8 text cannot be kept");
    }
}

} // namespace filterd
