// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/kept_file.hpp"

#include "base/files.hpp"

namespace filterd {

namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;

} // namespace

Result<std::string> KeptFile::load() {
    std::error_code ignored;
    if (!std::filesystem::exists(path_, ignored))
        return std::string();
    return readFile(path_, kMostBytes);
}

Status KeptFile::save(const std::string& text) {
    if (const auto known = load(); known && *known == text)
        return {};
    return replaceFile(path_, text);
}

} // namespace filterd
