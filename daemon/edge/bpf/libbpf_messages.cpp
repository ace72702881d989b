#include "edge/bpf/libbpf_messages.hpp"

#include "base/log.hpp"
#include "edge/bpf/verifier_log.hpp"

#include <bpf/libbpf.h>

#include <array>
#include <cstdarg>
#include <cstdio>

namespace filterd::bpf {

namespace {

std::string& warning() {
    static std::string text;
    return text;
}

std::string tidy(std::string text) {
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    constexpr std::string_view kPrefix = "libbpf: ";
    if (text.starts_with(kPrefix))
        text.erase(0, kPrefix.size());
    return printable(text);
}

// libbpf's own debug level tells of every section and relocation; what is formatted here is rare.
__attribute__((format(printf, 2, 0))) int receive(libbpf_print_level level, const char* format,
                                                  va_list arguments) {
    if (level == LIBBPF_DEBUG)
        return 0;
    std::array<char, 512> buffer{};
    std::vsnprintf(buffer.data(), buffer.size(), format, arguments);
    const std::string text = tidy(buffer.data());
    log::debug("libbpf: " + text);
    if (level == LIBBPF_WARN)
        warning() = text;
    return 0;
}

} // namespace

void captureLibbpfMessages() { ::libbpf_set_print(receive); }

std::string lastLibbpfWarning() { return warning(); }

void forgetLibbpfWarning() { warning().clear(); }

} // namespace filterd::bpf
