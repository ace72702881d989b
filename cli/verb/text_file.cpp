// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/verb/text_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string_view>

namespace filterd::cli {

namespace {

constexpr std::size_t kMostBytes = 16U << 20;

} // namespace

client::Result<std::string> readTextFile(const std::string& path, const std::string& what) {
    const auto refuse = [&](const std::string& why) {
        return tl::unexpected(
            client::Error{std::string(client::errors::kInvalidArgument), "cannot read " + path + ": " + why});
    };
    std::ifstream file;
    if (path != "-") {
        file.open(path);
        if (!file.is_open())
            return refuse(std::strerror(errno));
    }
    std::istream& stream = path == "-" ? std::cin : file;
    std::string text(kMostBytes + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad())
        return refuse(std::strerror(errno));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (text.size() > kMostBytes)
        return refuse("it is not a text file of " + what);
    if (const auto nul = text.find('\0'); nul != std::string::npos)
        return refuse(
            "line " +
            std::to_string(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n') +
                           1) +
            " holds a NUL byte: it is not a text file of " + what + ", save it as one");
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf"; // some editors begin a file with it
    if (text.starts_with(kByteOrderMark))
        text.erase(0, kByteOrderMark.size());
    return text;
}

} // namespace filterd::cli
