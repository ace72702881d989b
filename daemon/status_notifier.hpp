// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Keeps the line that "systemctl status" shows up to date: when something has changed, and never else.

#include "app/state_line.hpp"
#include "base/event_loop.hpp"

namespace filterd {

class StatusNotifier final : public Observer {
  public:
    StatusNotifier(EventLoop& loop, const Firewall& firewall) : loop_(loop), firewall_(firewall) {}

    [[nodiscard]] Status listen();
    void setBroken(const std::vector<std::string>& errors);
    void tellReady();
    void changed();

    void unitAppeared(const UnitView& /*unit*/) override { changed(); }
    void unitChanged(const UnitView& before, const UnitView& now) override;
    void unitVanished(const std::string& /*name*/) override { changed(); }
    void countsChanged() override { changed(); }

  private:
    void tell();

    EventLoop& loop_;
    const Firewall& firewall_;
    std::vector<std::string> broken_;
    EventLoop::Handle timer_;
    bool isReady_ = false;
    bool isWaiting_ = false;
    std::string told_;
};

} // namespace filterd
