// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Calls that need something slow, and keep nobody else waiting.

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace filterd {

// Who asks: its bus name, empty for filterd itself, and its user.
struct Asker {
    std::string client = {};
    uid_t uid = 0;
};

// What somebody waits for.
struct SlowWork {
    std::string what;
    uid_t uid = 0;             // whose call
    std::uint64_t askedAt = 0; // in microseconds of CLOCK_REALTIME
    std::uint64_t beganAt = 0; // the same; 0: it waits for its turn
};

class SlowCalls {
  public:
    using Step = std::function<void()>;

    virtual ~SlowCalls() = default;
    // Returns whether one more call of this user may wait. LimitExceeded.
    [[nodiscard]] virtual Status roomFor(const Asker& asker) const = 0;
    // Runs `attempt` now. What it needs and is not finished fails, so that it changes nothing; it is run
    // again when that is finished. `finish` follows the last attempt, also one that throws.
    virtual void run(const Asker& asker, Step attempt, Step finish) = 0;
    // The client is gone: what it waits for is not tried again.
    virtual void forget(const std::string& client) = 0;
    // All clients are.
    virtual void forgetClients() = 0;
    // What is done now, and what waits for its turn.
    [[nodiscard]] virtual std::vector<SlowWork> works() const = 0;
};

// Nothing is slow.
class PromptCalls final : public SlowCalls {
  public:
    [[nodiscard]] Status roomFor(const Asker& asker) const override {
        static_cast<void>(asker);
        return {};
    }
    void run(const Asker& asker, Step attempt, Step finish) override {
        static_cast<void>(asker);
        attempt();
        finish();
    }
    void forget(const std::string& client) override { static_cast<void>(client); }
    void forgetClients() override {}
    [[nodiscard]] std::vector<SlowWork> works() const override { return {}; }
};

} // namespace filterd
