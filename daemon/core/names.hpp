#pragma once
// The names filterd accepts and how it reads systemd's.

#include "base/result.hpp"

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace filterd {

// [A-Za-z0-9_:@-]{1,128}: also a valid file name on bpffs, which refuses dots.
class FilterName {
  public:
    [[nodiscard]] static Result<FilterName> parse(std::string_view text);
    [[nodiscard]] const std::string& text() const { return text_; }
    auto operator<=>(const FilterName&) const = default;

  private:
    explicit FilterName(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

[[nodiscard]] std::vector<std::string> textsOf(const std::vector<FilterName>& names);

// A unit name as systemd accepts it: known suffix, systemd's alphabet, at most 255 bytes.
[[nodiscard]] bool isUnitName(std::string_view text);

// What a rule's target may be: a unit name, a glob over unit names, or an absolute cgroup path.
[[nodiscard]] Status checkPattern(std::string_view pattern);

// The unit a cgroup directory belongs to: systemd prefixes "_" where the kernel could mistake the name.
[[nodiscard]] std::string unitOfCgroupName(std::string_view directory);

} // namespace filterd
