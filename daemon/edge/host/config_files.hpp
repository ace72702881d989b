#pragma once
// The .queue files of the machine, with systemd's habits of masking, overriding and drop-ins.

#include "core/rule.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace filterd {

struct Configuration {
    std::vector<Rule> rules;         // in lexical order of the file names
    std::vector<std::string> errors; // "FILE:LINE: …", or "FILE: …" when the whole file is at fault
    bool operator==(const Configuration&) const = default;
};

class ConfigFiles {
  public:
    // `roots`: from the highest to the lowest; a file replaces the file of the same name in a lower one.
    explicit ConfigFiles(std::vector<std::filesystem::path> roots = {"/etc/filterd", "/run/filterd",
                                                                     "/usr/lib/filterd"});

    // A broken file contributes the rule that its name has in `last`, if any; the others are not affected.
    [[nodiscard]] Configuration read(const Configuration& last) const;

  private:
    std::vector<std::filesystem::path> roots_;
};

} // namespace filterd
