#include "base/log.hpp"

#include "base/text.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <systemd/sd-journal.h>

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
    void setFields(const std::vector<Field>* fields) { fields_ = fields; }

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
    const std::vector<Field>* fields_ = nullptr;
};

struct Sinks {
    std::shared_ptr<JournalSink> journal;
    std::unique_ptr<spdlog::logger> logger;
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

} // namespace

void initialise(spdlog::level::level_enum level) {
    auto& state = sinks();
    spdlog::sink_ptr sink;
    if (stderrIsJournal()) {
        state.journal = std::make_shared<JournalSink>();
        sink = state.journal;
    } else {
        state.journal.reset();
        sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
        sink->set_pattern("filterd: %l: %v");
    }
    state.logger = std::make_unique<spdlog::logger>("filterd", std::move(sink));
    state.logger->set_level(level);
}

void write(spdlog::level::level_enum level, const std::string& message, const std::vector<Field>& fields) {
    auto& state = sinks();
    if (!state.logger)
        initialise(spdlog::level::info);
    if (state.journal)
        state.journal->setFields(&fields);
    state.logger->log(level, spdlog::string_view_t(showable(message)));
    if (state.journal)
        state.journal->setFields(nullptr);
}

} // namespace filterd::log
