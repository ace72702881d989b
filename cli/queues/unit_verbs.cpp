// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// ensure

#include "cli/queues/verbs.hpp"
#include "cli/verb/failure.hpp"
#include "core/model/names.hpp"

#include <memory>

namespace filterd::cli {

void addUnitVerbs(CLI::App& app, Invocation& invocation) {
    auto name = std::make_shared<std::string>();
    auto* verb = app.add_subcommand(
        "ensure", "Fail unless a unit's queues are up, or will be at its start; see filterd-ensure@.service "
                  "(for names of up to 232 letters)");
    verb->add_option("UNIT", *name, "The unit's name")->required();
    verb->callback([name, &invocation] {
        invocation.action = [name] {
            if (!isAnyUnitName(*name))
                return noUnit(*name);
            return withDaemon([&](client::Client& client) { return finished(client.ensureUnit(*name)); });
        };
    });
}

} // namespace filterd::cli
