// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// libbpf explains its failures only through a print callback of the whole process.

#include <string>

namespace filterd::bpf {

// Sends libbpf's messages to the log at debug level. Idempotent.
void captureLibbpfMessages();

// Returns, of libbpf's warnings since the last call of forgetLibbpfWarnings(), the one that says why: those
// that only say that therefore something else failed come behind it. Empty if there was none.
[[nodiscard]] std::string libbpfReason();
// The program that these warnings are about; empty if they are about the whole object.
[[nodiscard]] std::string programOfLibbpfWarnings();
void forgetLibbpfWarnings();

} // namespace filterd::bpf
