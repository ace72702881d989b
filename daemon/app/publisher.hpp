#pragma once
// What the outside sees, and the port through which it learns of changes.

#include "ports/ports.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace filterd {

enum class UnitState : std::uint8_t { Attached, Held, Failed };

[[nodiscard]] constexpr std::string_view toString(UnitState state) {
    switch (state) {
    case UnitState::Attached:
        return "attached";
    case UnitState::Held:
        return "held";
    case UnitState::Failed:
        break;
    }
    return "failed";
}

struct UnitView {
    std::string name;
    Cgroup cgroup;
    std::string rule; // source of the rule
    UnitState state = UnitState::Attached;
    std::string error;
    std::optional<ErrorCode> errorCode;
    std::array<std::vector<std::string>, 2> filters; // by Direction
    std::array<std::optional<QueueFacts>, 2> queues; // of what is attached
    std::array<bool, 2> held{};                      // what is attached drops everything
    bool logOnly = false;                            // its queues drop nothing

    bool operator==(const UnitView&) const = default;
};

struct FilterView {
    FilterFacts facts;
    std::vector<std::pair<std::string, std::string>> references; // kind, holder
};

class Publisher {
  public:
    virtual ~Publisher() = default;
    virtual void filterAppeared(const FilterName& name) = 0;
    virtual void filterChanged(const FilterName& name) = 0;
    virtual void filterVanished(const FilterName& name) = 0;
    virtual void unitAppeared(const UnitView& unit) = 0;
    virtual void unitChanged(const UnitView& before, const UnitView& now) = 0;
    virtual void unitVanished(const std::string& name) = 0;
    virtual void countsChanged() = 0;
};

} // namespace filterd
