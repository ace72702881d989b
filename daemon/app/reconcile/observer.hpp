// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Describes what the outside sees, and how it learns of changes.

#include "core/drops/drop.hpp"
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

// Is told what has changed. Each observer hears of what concerns it, and of nothing else.
class Observer {
  public:
    virtual ~Observer() = default;
    // An instance was loaded, and nothing runs it yet.
    virtual void filterLoaded(const FilterFacts& /*filter*/) {}
    virtual void filterAppeared(const FilterName& /*name*/) {}
    virtual void filterChanged(const FilterName& /*name*/) {}
    virtual void filterVanished(const FilterName& /*name*/) {}
    virtual void unitAppeared(const UnitView& /*unit*/) {}
    virtual void unitChanged(const UnitView& /*before*/, const UnitView& /*now*/) {}
    virtual void unitVanished(const std::string& /*name*/) {}
    virtual void countsChanged() {}
    // A rule was set on the bus for a target, or, if that is empty, rules were taken back.
    virtual void rulesSet(const std::string& /*target*/) {}
    virtual void packetDropped(const Drop& /*drop*/) {}
};

// Passes everything on to those that have subscribed, in the order in which they did.
class Observers final : public Observer {
  public:
    // The observer outlives whatever happens from now on.
    void subscribe(Observer& observer) { all_.push_back(&observer); }

    void filterLoaded(const FilterFacts& filter) override;
    void filterAppeared(const FilterName& name) override;
    void filterChanged(const FilterName& name) override;
    void filterVanished(const FilterName& name) override;
    void unitAppeared(const UnitView& unit) override;
    void unitChanged(const UnitView& before, const UnitView& now) override;
    void unitVanished(const std::string& name) override;
    void countsChanged() override;
    void rulesSet(const std::string& target) override;
    void packetDropped(const Drop& drop) override;

  private:
    std::vector<Observer*> all_;
};

} // namespace filterd
