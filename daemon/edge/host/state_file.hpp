#pragma once
// What only filterd knows, in one file (I5).

#include "core/ports.hpp"

#include <filesystem>

namespace filterd {

class StateFile final : public StateStore {
  public:
    explicit StateFile(std::filesystem::path path = "/run/filterd/state.json");

    [[nodiscard]] Result<std::string> load() override;
    // Makes the directory if it is missing.
    [[nodiscard]] Status save(const std::string& text) override;

  private:
    std::filesystem::path path_;
};

} // namespace filterd
