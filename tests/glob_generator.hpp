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

    std::string pattern() {
        static constexpr std::array<const char*, 14> kBrackets{
            "[ab]", "[!a]",  "[a-c]", "[@.]",   "[]a]",          "[^b-c.]",      "[a-]",
            "\\*",  "\\\\a", "[c-a]", "[\\]@]", "[[:digit:]-z]", "[![:alpha:]]", "[[-a]"};
        std::string text;
        for (std::size_t elements = below(12); elements > 0; --elements) {
            const auto kind = below(10);
            if (kind < 5)
                text += letter();
            else if (kind < 7)
                text += '*';
            else if (kind < 8)
                text += '?';
            else
                text += kBrackets[below(kBrackets.size())];
        }
        return text;
    }

    std::string name() {
        std::string text;
        for (std::size_t letters = below(14); letters > 0; --letters)
            text += letter();
        return text;
    }

    std::size_t below(std::size_t limit) { return random_() % limit; }

  private:
    char letter() {
        static constexpr std::string_view kLetters = "aaabbc-.@7[]*\\\xe4";
        return kLetters[below(kLetters.size())];
    }

    std::mt19937 random_;
};

} // namespace filterd
