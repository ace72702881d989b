// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Keeps the line that "systemctl status" shows up to date: when something has changed, and never else.

#include "app/state_line.hpp"
#include "base/event_loop.hpp"

namespace filterd {

// Stands before the publisher that it passes everything on to.
class StateTeller final : public Publisher {
  public:
    StateTeller(EventLoop& loop, Publisher& next) : loop_(loop), next_(next) {}

    void watch(const Firewall& firewall) { firewall_ = &firewall; }
    [[nodiscard]] Status listen();
    void setBroken(const std::vector<std::string>& errors);
    void tellReady();
    void changed();

    void filterAppeared(const FilterName& name) override { next_.filterAppeared(name); }
    void filterChanged(const FilterName& name) override { next_.filterChanged(name); }
    void filterVanished(const FilterName& name) override { next_.filterVanished(name); }
    void unitAppeared(const UnitView& unit) override;
    void unitChanged(const UnitView& before, const UnitView& now) override;
    void unitVanished(const std::string& name) override;
    void countsChanged() override;

  private:
    void tell();

    EventLoop& loop_;
    Publisher& next_;
    const Firewall* firewall_ = nullptr;
    std::vector<std::string> broken_;
    EventLoop::Handle timer_;
    bool isReady_ = false;
    bool isWaiting_ = false;
    std::string told_;
};

} // namespace filterd
