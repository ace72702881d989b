// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Structured journal lines. A message goes to the journal with its fields when there is one, else to stderr.

#include "base/error.hpp"
#include "base/log_message.hpp"

#include <spdlog/common.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace filterd::log {

using Field = std::pair<std::string_view, std::string>;
using Fields = std::vector<Field>;

[[nodiscard]] inline Field unit(const std::string& name) { return {"FILTERD_UNIT", name}; }
[[nodiscard]] inline Field filter(const std::string& name) { return {"FILTERD_FILTER", name}; }
[[nodiscard]] inline Field cgroup(std::uint64_t id) { return {"FILTERD_CGROUP_ID", std::to_string(id)}; }
// The last word of the error's name on the bus.
[[nodiscard]] inline Field code(ErrorCode code) { return {"FILTERD_ERROR", std::string(errorName(code))}; }
[[nodiscard]] inline Field id(Message message) { return {"MESSAGE_ID", std::string(messageId(message))}; }

// Chooses the sink: the journal where stderr is connected to it, stderr otherwise.
void initialise(spdlog::level::level_enum level);

void write(spdlog::level::level_enum level, const std::string& message, const Fields& fields = {});
// The error's sentence, and its code in a field of its own.
void write(spdlog::level::level_enum level, const Error& error, Fields fields = {});

inline void error(const std::string& message, const Fields& fields = {}) {
    write(spdlog::level::err, message, fields);
}
inline void error(const Error& error, Fields fields = {}) {
    write(spdlog::level::err, error, std::move(fields));
}
inline void warning(const std::string& message, const Fields& fields = {}) {
    write(spdlog::level::warn, message, fields);
}
inline void warning(const Error& error, Fields fields = {}) {
    write(spdlog::level::warn, error, std::move(fields));
}
inline void info(const std::string& message, const Fields& fields = {}) {
    write(spdlog::level::info, message, fields);
}
inline void debug(const std::string& message, const Fields& fields = {}) {
    write(spdlog::level::debug, message, fields);
}

// As systemd's daemons have them (org.freedesktop.LogControl1): "emerg" to "debug"; "journal", "console",
// "null", and "auto", which is what initialise() chooses. False: there is no such level or target here.
[[nodiscard]] std::string_view levelName();
[[nodiscard]] bool setLevel(std::string_view name);
[[nodiscard]] std::string_view targetName();
[[nodiscard]] bool setTarget(std::string_view name);

} // namespace filterd::log
