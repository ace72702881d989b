#pragma once
// Globs over unit names, in the form in which the kernel matches them too (bpf/glob.h).

#include "base/result.hpp"
#include "bpf/glob.h"

#include <string>
#include <string_view>

namespace filterd {

class Glob {
  public:
    // A pattern with the meaning of fnmatch(pattern, name, 0) in the C locale. What fnmatch itself reads in
    // two ways is refused (InvalidName): an open bracket, a trailing backslash, an unknown class, a collating
    // symbol. LimitExceeded: more than 63 elements, that is letters, ? and [..]; a * counts nothing.
    [[nodiscard]] static Result<Glob> compile(std::string_view pattern);

    // A name that stands for itself alone: a backslash in it is a backslash, and it may have up to 255 bytes.
    [[nodiscard]] static Result<Glob> exact(std::string_view name);

    [[nodiscard]] bool matches(std::string_view name) const;
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] const glob_automaton& automaton() const { return automaton_; }

  private:
    explicit Glob(std::string_view text) : text_(text) {}

    std::string text_;
    glob_automaton automaton_{};
};

} // namespace filterd
