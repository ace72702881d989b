// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// What has ended a process of filterd since the machine was booted: it is not tried again until somebody
// asks for it.

#include <optional>
#include <string>
#include <utility>

namespace filterd {

class CrashMemory {
  public:
    virtual ~CrashMemory() = default;
    // Why `thing` is not to be tried again; none if it may be.
    [[nodiscard]] virtual std::optional<std::string> against(const std::string& thing) const = 0;
    // It has ended a worker, as `how` tells.
    virtual void blame(const std::string& thing, const std::string& how) = 0;
    // It went well after all.
    virtual void forgive(const std::string& thing) = 0;
    // Somebody asks for everything.
    virtual void forgiveAll() = 0;

    // What the daemon does from now on; nothing if empty. What it does when it ends, and when it ends again
    // before it has done that, is to blame: once may be chance. Returns what it did until now.
    virtual std::string doing(const std::string& thing) = 0;
};

// The daemon does `thing` until the end of the block, and then what it did before.
class Doing {
  public:
    Doing(CrashMemory& memory, std::string thing)
        : memory_(memory), thing_(std::move(thing)), before_(memory_.doing(thing_)) {}
    Doing(const Doing&) = delete;
    Doing& operator=(const Doing&) = delete;
    ~Doing() { memory_.doing(before_); }
    // To the end, and it went well.
    void isDone() { memory_.forgive(thing_); }

  private:
    CrashMemory& memory_;
    std::string thing_;
    std::string before_;
};

// Nothing ever ends.
class NoCrashes final : public CrashMemory {
  public:
    [[nodiscard]] std::optional<std::string> against(const std::string& thing) const override {
        static_cast<void>(thing);
        return {};
    }
    void blame(const std::string& thing, const std::string& how) override {
        static_cast<void>(thing);
        static_cast<void>(how);
    }
    void forgive(const std::string& thing) override { static_cast<void>(thing); }
    void forgiveAll() override {}
    std::string doing(const std::string& thing) override {
        static_cast<void>(thing);
        return {};
    }
};

} // namespace filterd
