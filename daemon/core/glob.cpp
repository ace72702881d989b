#include "core/glob.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cctype>
#include <cstdint>
#include <cstring>

namespace filterd {

namespace {

using ByteSet = std::bitset<256>;

constexpr std::size_t kNameMax = GLOB_NAME_SIZE - 1;

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
        if (rest_.starts_with('\\')) {
            rest_.remove_prefix(1);
            if (rest_.empty())
                return refuse("ends in a backslash that escapes nothing");
        }
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
            return refuse("has a collating symbol inside a bracket; write '\\[' for the letter");
        return {};
    }

    std::string_view pattern_;
    std::string_view rest_;
};

void addElement(glob_automaton& automaton, const ByteSet& set) {
    const std::uint64_t bit = std::uint64_t{1} << ++automaton.length;
    for (std::size_t byte = 1; byte < set.size(); ++byte)
        if (set[byte])
            automaton.accepts[byte] |= bit;
}

} // namespace

Result<Glob> Glob::compile(std::string_view pattern) {
    if (pattern.find('\0') != std::string_view::npos)
        return failure(ErrorCode::InvalidName, "a pattern cannot hold a NUL byte");
    Glob glob(pattern);
    PatternReader reader(pattern);
    while (!reader.done()) {
        if (reader.skipStar()) {
            glob.automaton_.loop |= std::uint64_t{1} << glob.automaton_.length;
            continue;
        }
        const auto set = reader.element();
        if (!set)
            return failure(set.error());
        if (glob.automaton_.length == GLOB_ELEMENTS_MAX)
            return failure(ErrorCode::LimitExceeded,
                           "the pattern '" + glob.text_ + "' is too long: at most " +
                               std::to_string(GLOB_ELEMENTS_MAX) +
                               " letters, ? and [..] beside any number of *; shorten it with a *");
        addElement(glob.automaton_, *set);
    }
    return glob;
}

Result<Glob> Glob::exact(std::string_view name) {
    if (name.size() > kNameMax || name.find('\0') != std::string_view::npos)
        return failure(ErrorCode::InvalidName,
                       "'" + std::string(name.substr(0, kNameMax)) + "' is not the name of a unit");
    Glob glob(name);
    glob.automaton_.plain = 1;
    std::memcpy(glob.automaton_.text, name.data(), name.size());
    return glob;
}

bool Glob::matches(std::string_view name) const {
    if (name.size() > kNameMax)
        return false; // no directory has such a name
    std::array<char, GLOB_NAME_SIZE> buffer{};
    std::memcpy(buffer.data(), name.data(), name.size());
    return glob_matches(&automaton_, buffer.data()) != 0;
}

} // namespace filterd
