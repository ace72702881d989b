// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/command_line.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace filterd {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kPrefixes = "@-:+!|"; // of systemd's, before a program's path
constexpr std::string_view kShellBreaks = ";&|()`\n";
constexpr std::size_t kDeepest = 3;      // scripts within scripts
constexpr std::size_t kMostWrapped = 24; // words behind env and the like that are looked at
constexpr std::array<std::string_view, 6> kShells{"sh", "bash", "dash", "ash", "zsh", "ksh"};
constexpr std::array<std::string_view, 13> kShellWords{
    "if", "then", "else", "elif", "do", "while", "until", "!", "{", "exec", "time", "command", "$"};
constexpr std::array<std::string_view, 20> kWrappers{
    "env",     "nice",   "ionice", "chrt",    "taskset", "nohup",   "setsid",  "stdbuf", "timeout", "flock",
    "setpriv", "chroot", "sudo",   "runuser", "unshare", "nsenter", "busybox", "choom",  "capsh",   "xargs"};

bool has(std::string_view letters, char letter) { return letters.find(letter) != std::string_view::npos; }

// Splits a text as systemd does, or nearly as a shell does.
class Splitter {
  public:
    explicit Splitter(bool isShell) : isShell_(isShell) {}

    std::vector<Command> split(std::string_view text) {
        for (std::size_t at = 0; at < text.size(); ++at) {
            if (text[at] == '\\' && quote_ != '\'' && at + 1 < text.size())
                add(text[++at]);
            else if (quote_ != 0)
                readQuoted(text[at]);
            else if (endsCommand(text, at))
                endCommand();
            else
                readPlain(text[at]);
        }
        endCommand();
        commands_.pop_back();
        return std::move(commands_);
    }

  private:
    [[nodiscard]] bool endsCommand(std::string_view text, std::size_t at) const {
        if (isShell_)
            return has(kShellBreaks, text[at]);
        const bool isAlone = at + 1 == text.size() || has(kBlanks, text[at + 1]);
        return text[at] == ';' && !isWord_ && isAlone;
    }

    void readQuoted(char letter) {
        if (letter == quote_)
            quote_ = 0;
        else
            add(letter);
    }

    void readPlain(char letter) {
        if (letter == '"' || letter == '\'') {
            quote_ = letter;
            isWord_ = true;
        } else if (has(kBlanks, letter)) {
            endWord();
        } else {
            add(letter);
        }
    }

    void add(char letter) {
        word_ += letter;
        isWord_ = true;
    }

    void endWord() {
        if (isWord_)
            commands_.back().push_back(std::move(word_));
        word_.clear();
        isWord_ = false;
    }

    void endCommand() {
        endWord();
        if (!commands_.back().empty())
            commands_.emplace_back();
    }

    bool isShell_;
    char quote_ = 0;
    bool isWord_ = false;
    std::string word_;
    std::vector<Command> commands_{1};
};

std::string_view programOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool isAssignment(std::string_view word) {
    const auto name = word.substr(0, word.find('='));
    return name.size() < word.size() && !name.empty() &&
           std::all_of(name.begin(), name.end(),
                       [](unsigned char letter) { return std::isalnum(letter) != 0 || letter == '_'; });
}

// Returns what stands behind "sh -c", or "bash -lc"; nothing if it is no such command.
std::string_view scriptOf(const Command& command) {
    if (!listHas(kShells, command.front()))
        return {};
    for (std::size_t at = 1; at + 1 < command.size() && command[at].starts_with('-'); ++at)
        if (!command[at].starts_with("--") && has(command[at], 'c'))
            return command[at + 1];
    return {};
}

class Finder {
  public:
    std::vector<Command> find(std::string_view line) {
        for (auto& command : Splitter(false).split(line)) {
            const auto& path = command.front();
            const auto prefix = std::min(path.find_first_not_of(kPrefixes), path.size());
            if (has(std::string_view(path).substr(0, prefix), '@') && command.size() > 1)
                command.erase(command.begin() + 1); // the name that the program is told
            command.front().erase(0, prefix);
            add(std::move(command), 0);
        }
        return std::move(found_);
    }

  private:
    void add(Command command, std::size_t depth) {
        const auto begin = std::find_if(command.begin(), command.end(), [](const auto& word) {
            return !listHas(kShellWords, word) && !isAssignment(word);
        });
        command.erase(command.begin(), begin);
        if (command.empty())
            return;
        command.front() = programOf(command.front());
        const bool isWrapper = listHas(kWrappers, command.front()) ||
                               (command.front() == "ip" && listHas(command, "exec")); // ip netns exec
        if (addScript(command, depth) || !isWrapper) {
            found_.push_back(std::move(command));
            return;
        }
        for (std::size_t at = 1; at < std::min(command.size(), kMostWrapped); ++at) {
            Command rest(command.begin() + static_cast<std::ptrdiff_t>(at), command.end());
            rest.front() = programOf(rest.front());
            const bool isScript = addScript(rest, depth);
            found_.push_back(std::move(rest));
            if (isScript)
                return;
        }
    }

    bool addScript(const Command& command, std::size_t depth) {
        const auto script = scriptOf(command);
        if (script.empty() || depth == kDeepest)
            return false;
        for (auto& inner : Splitter(true).split(script))
            add(std::move(inner), depth + 1);
        return true;
    }

    std::vector<Command> found_;
};

} // namespace

std::vector<Command> commandsOf(std::string_view line) { return Finder().find(line); }

} // namespace filterd
