#pragma once
// Structured journal lines. A message goes to the journal with its fields when there is one, else to stderr.

#include <spdlog/common.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace filterd::log {

using Field = std::pair<std::string_view, std::string>; // e.g. {"FILTERD_UNIT", "nginx.service"}

// Chooses the sink: the journal where stderr is connected to it, stderr otherwise.
void initialise(spdlog::level::level_enum level);

void write(spdlog::level::level_enum level, const std::string& message,
           const std::vector<Field>& fields = {});

inline void error(const std::string& message, const std::vector<Field>& fields = {}) {
    write(spdlog::level::err, message, fields);
}
inline void warning(const std::string& message, const std::vector<Field>& fields = {}) {
    write(spdlog::level::warn, message, fields);
}
inline void info(const std::string& message, const std::vector<Field>& fields = {}) {
    write(spdlog::level::info, message, fields);
}
inline void debug(const std::string& message, const std::vector<Field>& fields = {}) {
    write(spdlog::level::debug, message, fields);
}

} // namespace filterd::log
