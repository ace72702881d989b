// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A firewall whose kernel says, for once, that something is not finished yet.

#include "definitions_bed.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

namespace filterd::test {

class SlowCallsBed : public DefinitionsBed {
  protected:
    using Call = std::function<Status()>;

    // A method call; the status of its last attempt, once it has been answered.
    std::shared_ptr<std::optional<Status>> call(Call body) {
        const auto last = std::make_shared<Status>();
        auto answer = std::make_shared<std::optional<Status>>();
        slow.run(
            {}, [=] { *last = body(); }, [=] { *answer = *last; });
        return answer;
    }

    // What is in the kernel and stands under a name, and what is saved.
    [[nodiscard]] auto state() {
        return std::tuple(kernel.published.size(), kernel.queues, kernel.attachments,
                          firewall.filters().all().size(), store.text,
                          firewall.inForce().intent().rules->ordered().size());
    }

    [[nodiscard]] UnitState stateOf(const std::string& unit) { return firewall.units().find(unit)->state; }

    FakeSlowCalls slow{kernel};
};

} // namespace filterd::test
