// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/terminal/terminal.hpp"

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace filterd::cli {

namespace {

constexpr std::size_t kLabelWidth = 15;

const char* codeOf(Colour colour) {
    switch (colour) {
    case Colour::Bold:
        return "1";
    case Colour::Dim:
        return "2";
    case Colour::Red:
        return "1;31";
    case Colour::Green:
        return "32";
    case Colour::Yellow:
        return "33";
    case Colour::Plain:
        break;
    }
    return nullptr;
}

bool wantsColours() {
    const char* refused = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    return isTerminal() && (refused == nullptr || *refused == '\0') &&
           (terminal == nullptr || std::string_view(terminal) != "dumb");
}

int& firstError() {
    static int error = 0;
    return error;
}

void note(bool written) {
    if (!written && firstError() == 0)
        firstError() = errno != 0 ? errno : EIO;
}

} // namespace

bool isTerminal() {
    static const bool known = ::isatty(STDOUT_FILENO) == 1;
    return known;
}

std::size_t terminalWidth() {
    constexpr std::size_t kUsual = 80;
    if (const char* columns = std::getenv("COLUMNS"); columns != nullptr)
        if (const auto given = std::strtoul(columns, nullptr, 10); given > 0)
            return given;
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : kUsual;
}

bool speaksUtf8() {
    static const bool known =
        std::setlocale(LC_CTYPE, "") != nullptr && std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
    return known;
}

std::string coloured(std::string_view text, Colour colour) {
    static const bool wanted = wantsColours();
    const char* code = codeOf(colour);
    if (!wanted || code == nullptr)
        return std::string(text);
    return std::string("\x1b[") + code + "m" + std::string(text) + "\x1b[0m";
}

Colour colourOfState(std::string_view state) {
    if (state == "attached")
        return Colour::Green;
    return state == "held" ? Colour::Yellow : Colour::Red;
}

// A pipe that nobody reads any more ends the process by SIGPIPE.
void print(std::string_view text) { note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size()); }

bool flush() {
    note(std::fflush(stdout) == 0 && std::ferror(stdout) == 0);
    return firstError() == 0;
}

int outputError() { return firstError(); }

void printField(std::string_view label, std::string_view text) {
    const std::size_t pad = label.size() < kLabelWidth ? kLabelWidth - label.size() : 0;
    print(std::string(pad, ' ') + std::string(label) + ": " + std::string(text) + "\n");
}

} // namespace filterd::cli
