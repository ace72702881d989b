// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/log.hpp"

#include "base/text.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#define SD_JOURNAL_SUPPRESS_LOCATION // this file is the place of no message
#include <systemd/sd-journal.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>

namespace filterd::log {

namespace {

int syslogPriority(spdlog::level::level_enum level) {
    switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
        return LOG_DEBUG;
    case spdlog::level::info:
        return LOG_INFO;
    case spdlog::level::warn:
        return LOG_WARNING;
    case spdlog::level::err:
        return LOG_ERR;
    default:
        return LOG_CRIT;
    }
}

// spdlog's own journal sink knows no fields of ours.
class JournalSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  public:
    void setFields(const Fields* fields) { fields_ = fields; }

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        std::vector<std::string> texts{
            "MESSAGE=" + std::string(message.payload.data(), message.payload.size()),
            "PRIORITY=" + std::to_string(syslogPriority(message.level)),
            "SYSLOG_IDENTIFIER=filterd",
        };
        if (fields_ != nullptr)
            for (const auto& [name, value] : *fields_)
                texts.push_back(std::string(name) + "=" + value);
        std::vector<iovec> parts;
        parts.reserve(texts.size());
        for (auto& text : texts)
            parts.push_back({text.data(), text.size()});
        sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
    }
    void flush_() override {}

  private:
    const Fields* fields_ = nullptr;
};

// By syslog's numbers, as systemd names them.
constexpr std::array<std::string_view, 8> kLevels{"emerg",   "alert",  "crit", "err",
                                                  "warning", "notice", "info", "debug"};

enum class Target : std::uint8_t { Journal, Console, Null };
constexpr std::array<std::string_view, 3> kTargets{"journal", "console", "null"};

struct Sinks {
    std::shared_ptr<JournalSink> journal;
    std::unique_ptr<spdlog::logger> logger;
    Target target = Target::Console;
    int level = LOG_INFO;
};

Sinks& sinks() {
    static Sinks instance;
    return instance;
}

// systemd tells in JOURNAL_STREAM which device and inode it connected to the journal.
bool stderrIsJournal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat info {};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &info) < 0)
        return false;
    return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) == stream;
}

Target automatic() { return stderrIsJournal() ? Target::Journal : Target::Console; }

void open(Target target) {
    auto& state = sinks();
    state.journal = target == Target::Journal ? std::make_shared<JournalSink>() : nullptr;
    spdlog::sink_ptr sink = state.journal;
    if (target == Target::Console) {
        sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
        sink->set_pattern("filterd: %l: %v");
    } else if (target == Target::Null) {
        sink = std::make_shared<spdlog::sinks::null_sink_st>();
    }
    state.logger = std::make_unique<spdlog::logger>("filterd", std::move(sink));
    state.logger->set_level(spdlog::level::trace); // write() decides: spdlog has fewer levels than syslog
    state.target = target;
}

} // namespace

void initialise(spdlog::level::level_enum level) {
    sinks().level = syslogPriority(level);
    open(automatic());
}

void write(spdlog::level::level_enum level, const std::string& message, const Fields& fields) {
    auto& state = sinks();
    if (!state.logger)
        initialise(spdlog::level::info);
    if (syslogPriority(level) > state.level)
        return;
    if (state.journal)
        state.journal->setFields(&fields);
    state.logger->log(level, spdlog::string_view_t(showable(message)));
    if (state.journal)
        state.journal->setFields(nullptr);
}

void write(spdlog::level::level_enum level, const Error& error, Fields fields) {
    fields.push_back(code(error.code));
    write(level, error.message, fields);
}

std::string_view levelName() { return kLevels.at(static_cast<std::size_t>(sinks().level)); }

bool setLevel(std::string_view name) {
    for (std::size_t number = 0; number < kLevels.size(); ++number)
        if (kLevels.at(number) == name || std::to_string(number) == name) {
            sinks().level = static_cast<int>(number);
            return true;
        }
    return false;
}

std::string_view targetName() { return kTargets.at(static_cast<std::size_t>(sinks().target)); }

bool setTarget(std::string_view name) {
    if (name == "auto") {
        open(automatic());
        return true;
    }
    const auto* found = std::find(kTargets.begin(), kTargets.end(), name);
    if (found == kTargets.end())
        return false;
    open(static_cast<Target>(found - kTargets.begin()));
    return true;
}

} // namespace filterd::log
