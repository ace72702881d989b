// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// filterctl without a verb: the state of the daemon, and what is done with it most often.

#include "cli/files/verbs.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"
#include "cli/verb/verb_traits.hpp"
#include "cli/verbs.hpp"

namespace filterd::cli {

namespace {

constexpr std::size_t kVerbWidth = 12;

void printVerbs(const CLI::App& app) {
    print("\nCommon verbs:\n");
    for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; }))
        if (const auto& name = verb->get_name(); traitsOf(name).isCommon)
            print("  " + name + std::string(kVerbWidth - name.size(), ' ') + verb->get_description() + "\n");
    print("\n'filterctl --help' lists all verbs, 'filterctl VERB --help' explains one.\n");
}

} // namespace

Exit showOverview(const CLI::App& app, bool json) {
    const auto shown = withDaemon([&](client::Client& client) { return showStatus(client, json); });
    if (!json)
        printVerbs(app);
    return shown;
}

} // namespace filterd::cli
