// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/model/glob.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cctype>
#include <cstddef>
#include <cstring>
#include <optional>
#include <vector>

namespace filterd {

namespace {

using ByteSet = std::bitset<256>;

struct CharacterClass {
    std::string_view name;
    int (*holds)(int);
};

constexpr std::array<CharacterClass, 12> kClasses{{{"alnum", std::isalnum},
                                                   {"alpha", std::isalpha},
                                                   {"blank", std::isblank},
                                                   {"cntrl", std::iscntrl},
                                                   {"digit", std::isdigit},
                                                   {"graph", std::isgraph},
                                                   {"lower", std::islower},
                                                   {"print", std::isprint},
                                                   {"punct", std::ispunct},
                                                   {"space", std::isspace},
                                                   {"upper", std::isupper},
                                                   {"xdigit", std::isxdigit}}};

std::size_t index(char byte) { return static_cast<unsigned char>(byte); }

// Reads a pattern element by element.
class PatternReader {
  public:
    explicit PatternReader(std::string_view pattern) : pattern_(pattern), rest_(pattern) {}

    [[nodiscard]] bool done() const { return rest_.empty(); }

    bool skipStar() {
        if (!rest_.starts_with('*'))
            return false;
        rest_.remove_prefix(1);
        return true;
    }

    Result<ByteSet> element() {
        if (rest_.front() == '?') {
            rest_.remove_prefix(1);
            return ByteSet().set();
        }
        if (rest_.front() == '[')
            return bracket();
        const auto byte = letter();
        if (!byte)
            return failure(byte.error());
        return ByteSet().set(index(*byte));
    }

  private:
    [[nodiscard]] tl::unexpected<Error> refuse(std::string_view why) const {
        return failure(ErrorCode::InvalidName,
                       "the pattern '" + std::string(pattern_) + "' " + std::string(why));
    }

    Result<char> letter() {
        if (rest_.empty())
            return refuse("has a bracket that is not closed");
        const char byte = rest_.front();
        rest_.remove_prefix(1);
        return byte;
    }

    Result<ByteSet> bracket() {
        rest_.remove_prefix(1);
        const bool negated = rest_.starts_with('!') || rest_.starts_with('^');
        if (negated)
            rest_.remove_prefix(1);
        ByteSet set;
        // A ']' that stands first is a member, not the end.
        do {
            if (auto added = addMember(set); !added)
                return failure(added.error());
        } while (!rest_.starts_with(']'));
        rest_.remove_prefix(1);
        return negated ? ~set : set;
    }

    Status addMember(ByteSet& set) {
        if (rest_.starts_with("[:"))
            return addClass(set);
        if (auto clear = refuseCollation(); !clear)
            return clear;
        const auto first = letter();
        if (!first)
            return failure(first.error());
        const bool range = rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']';
        if (!range) {
            set.set(index(*first));
            return {};
        }
        rest_.remove_prefix(1);
        if (auto clear = refuseCollation(); !clear)
            return clear;
        const auto last = letter();
        if (!last)
            return failure(last.error());
        for (std::size_t byte = index(*first); byte <= index(*last); ++byte)
            set.set(byte);
        return {};
    }

    Status addClass(ByteSet& set) {
        const auto end = rest_.find(":]", 2);
        const auto name = end == std::string_view::npos ? "" : rest_.substr(2, end - 2);
        const auto* found = std::find_if(kClasses.begin(), kClasses.end(),
                                         [&](const CharacterClass& known) { return known.name == name; });
        if (found == kClasses.end())
            return refuse("names a character class that does not exist");
        for (int byte = 1; byte < 128; ++byte)
            if (found->holds(byte) != 0)
                set.set(static_cast<std::size_t>(byte));
        rest_.remove_prefix(end + 2);
        return {};
    }

    [[nodiscard]] Status refuseCollation() const {
        if (rest_.starts_with("[.") || rest_.starts_with("[=") || rest_.starts_with("[:"))
            return refuse("has a collating symbol inside a bracket; no unit's name holds a [");
        return {};
    }

    std::string_view pattern_;
    std::string_view rest_;
};

// Holds a compiled pattern of any width: what each element accepts, and behind which of them a * stands.
struct Pattern {
    std::vector<ByteSet> elements;
    std::vector<bool> loops = {false}; // [i]: behind the first i elements
};

Result<Pattern> read(std::string_view text) {
    Pattern pattern;
    PatternReader reader(text);
    while (!reader.done()) {
        if (reader.skipStar()) {
            pattern.loops.back() = true;
            continue;
        }
        auto set = reader.element();
        if (!set)
            return failure(set.error());
        pattern.elements.push_back(*set);
        pattern.loops.push_back(false);
    }
    return pattern;
}

constexpr __u64 bit(std::size_t state) { return __u64{1} << state % 64; }

void fill(const Pattern& pattern, __u64* loop, __u64* accepts, std::size_t words) {
    for (std::size_t state = 0; state < pattern.loops.size(); ++state)
        if (pattern.loops[state])
            loop[state / 64] |= bit(state);
    for (std::size_t element = 0; element < pattern.elements.size(); ++element)
        for (std::size_t letter = 0; letter < GLOB_LETTERS; ++letter)
            if (pattern.elements[element][letter + GLOB_FIRST])
                accepts[letter * words + (element + 1) / 64] |= bit(element + 1);
}

using States = std::vector<bool>;

// One letter further; `letter`: none stands for each of them.
States step(const Pattern& pattern, const States& states, std::optional<char> letter) {
    States next(states.size());
    for (std::size_t i = 0; i < states.size(); ++i) {
        if (!states[i])
            continue;
        if (pattern.loops[i])
            next[i] = true;
        if (i < pattern.elements.size() &&
            (letter ? pattern.elements[i][index(*letter)] : pattern.elements[i].any()))
            next[i + 1] = true;
    }
    return next;
}

// After any number of letters.
States steps(const Pattern& pattern, States states) {
    for (;;) {
        auto more = step(pattern, states, std::nullopt);
        for (std::size_t i = 0; i < states.size(); ++i)
            more[i] = more[i] || states[i];
        if (more == states)
            return states;
        states = std::move(more);
    }
}

} // namespace

Result<Glob> Glob::compile(std::string_view text) {
    if (text.find('\0') != std::string_view::npos)
        return failure(ErrorCode::InvalidName, "a pattern cannot hold a NUL byte");
    const auto pattern = read(text);
    if (!pattern)
        return failure(pattern.error());
    if (pattern->elements.size() > GLOB_WIDE_ELEMENTS)
        return failure(ErrorCode::LimitExceeded, "the pattern '" + std::string(text) +
                                                     "' is longer than the longest name of a unit: at most " +
                                                     std::to_string(GLOB_WIDE_ELEMENTS) +
                                                     " letters, ? and [..] beside any number of *");
    Glob glob(text);
    auto& automaton = glob.automaton_;
    automaton.length = static_cast<__u32>(pattern->elements.size());
    if (automaton.length <= GLOB_WORD_ELEMENTS) {
        automaton.kind = GLOB_WORD;
        fill(*pattern, &automaton.loop, automaton.accepts, 1);
        return glob;
    }
    automaton.kind = GLOB_WIDE;
    auto wide = std::make_shared<glob_wide>();
    fill(*pattern, wide->loop, &wide->accepts[0][0], GLOB_WIDE_WORDS);
    glob.wide_ = std::move(wide);
    return glob;
}

Result<Glob> Glob::exact(std::string_view name) {
    if (name.size() > kUserUnitNameMax || name.find('\0') != std::string_view::npos)
        return failure(ErrorCode::InvalidName,
                       "'" + std::string(name.substr(0, kUnitNameMax)) + "' is not the name of a unit");
    Glob glob(name);
    glob.automaton_.kind = GLOB_TEXT;
    std::memcpy(glob.automaton_.text, name.data(), name.size());
    return glob;
}

bool Glob::matches(std::string_view name) const {
    if (name.size() > kUserUnitNameMax || name.find('\0') != std::string_view::npos)
        return false; // no directory has such a name
    std::array<char, GLOB_NAME_SIZE> buffer{};
    std::memcpy(buffer.data(), name.data(), name.size());
    return (wide_ ? glob_matches_wide(wide_.get(), automaton_.length, buffer.data())
                  : glob_matches(&automaton_, buffer.data())) != 0;
}

bool Glob::meets(std::string_view form) const {
    if (automaton_.kind == GLOB_TEXT) {
        const auto other = compile(form);
        return other && other->matches(text_);
    }
    const auto pattern = read(text_);
    States states(pattern->loops.size());
    states[0] = true;
    for (const char letter : form)
        states = letter == '*' ? steps(*pattern, std::move(states)) : step(*pattern, states, letter);
    return states.back();
}

} // namespace filterd
