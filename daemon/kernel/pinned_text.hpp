// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Text in a pinned array map: it lives as long as the pins that it belongs to, and no file system can be too
// full for it. Its entries one after the other hold the length in eight bytes, then the text.

#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <filesystem>
#include <string>

namespace filterd::bpf {

// A map that holds the text and is pinned nowhere yet.
[[nodiscard]] Result<UniqueFd> textMap(const char* name, const std::string& text);

// Empty when there is no such pin. Errors: BadConfiguration when something else is pinned there.
[[nodiscard]] Result<std::string> readPinnedText(const std::filesystem::path& pin);

} // namespace filterd::bpf
