#pragma once
// libbpf explains its failures only through a print callback of the whole process.

#include <string>

namespace filterd::bpf {

// Sends libbpf's messages to the log at debug level. Idempotent.
void captureLibbpfMessages();

// The last warning since the last call of forgetLibbpfWarning(); empty if there was none.
[[nodiscard]] std::string lastLibbpfWarning();
void forgetLibbpfWarning();

} // namespace filterd::bpf
