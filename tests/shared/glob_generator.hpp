// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace filterd {

// Patterns and names that have something to do with each other.
class GlobGenerator {
  public:
    explicit GlobGenerator(unsigned seed) : random_(seed) {}

    std::string pattern() { return patternOf(below(12), 5); }
    // Beyond one word of the automaton, up to the longest name of a user's unit.
    std::string longPattern() { return patternOf(60 + below(180), 40); }

    std::string name() { return nameOf(below(14)); }

    // A name that the pattern matches, or nearly.
    std::string nameFor(const std::string& pattern) {
        std::string text;
        for (std::size_t i = 0; i < pattern.size(); ++i) {
            const char c = pattern[i];
            if (c == '[')
                i = pattern.find(']', i + 2);
            text += c == '*' ? nameOf(below(4))
                             : std::string(1, c == '?' || c == '[' || below(300) == 0 ? letter() : c);
        }
        return text.substr(0, 255);
    }

    std::size_t below(std::size_t limit) { return random_() % limit; }

  private:
    // Makes a pattern of elements that are letters, as many as `letters` of `letters` + 5.
    std::string patternOf(std::size_t elements, std::size_t letters) {
        static constexpr std::array<const char*, 14> kBrackets{
            "[ab]", "[!a]",  "[a-c]", "[@.]",  "[]a]",          "[^b-c.]",      "[a-]",
            "\\*",  "\\\\a", "[c-a]", "[\\@]", "[[:digit:]-z]", "[![:alpha:]]", "[[-a]"};
        std::string text;
        for (; elements > 0; --elements) {
            const auto kind = below(letters + 5);
            if (kind < letters)
                text += letter();
            else if (kind < letters + 2)
                text += '*';
            else if (kind < letters + 3)
                text += '?';
            else
                text += kBrackets[below(kBrackets.size())];
        }
        return text;
    }

    std::string nameOf(std::size_t letters) {
        std::string text;
        for (; letters > 0; --letters)
            text += letter();
        return text;
    }

    char letter() {
        static constexpr std::string_view kLetters = "aaabbc-.@7]\\_";
        return kLetters[below(kLetters.size())];
    }

    std::mt19937 random_;
};

} // namespace filterd
