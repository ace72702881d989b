// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/persistence/state_keeper.hpp"

#include "app/persistence/saved_state.hpp"
#include "base/log.hpp"

namespace filterd {

namespace {

// References to filters that are not loaded any more are over.
Intent intentOf(SavedState state, const LoadedFilters& loaded) {
    Intent intent;
    intent.filters = loaded;
    intent.busGuid = std::move(state.busGuid);
    for (const auto& [holder, counts] : state.references.all())
        for (const auto& [filter, count] : counts)
            if (loaded.contains(filter))
                intent.references.acquire(holder, filter, count);
    for (const auto& name : state.defined)
        if (loaded.contains(name))
            intent.definitions.markLoaded(name);
    for (const auto& rule : state.busRules)
        if (auto set = intent.rules.edit().set(rule); !set)
            log::error(set.error().context("saved rule"), {log::unit(rule.targets.front())});
    for (auto& trial : state.trials)
        intent.trials.start(std::move(trial));
    return intent;
}

} // namespace

Result<Intent> StateKeeper::restore(const LoadedFilters& loaded, bool mayBeMissing) {
    auto text = store_.load();
    if (!text)
        return failure(text.error());
    if (text->empty() && !mayBeMissing)
        return failure(ErrorCode::BadConfiguration, "the saved state is missing");
    if (text->empty())
        return intentOf({}, loaded);
    auto state = parseState(*text);
    if (!state)
        return failure(state.error());
    saved_ = std::move(*text);
    return intentOf(std::move(*state), loaded);
}

// What is in force stays in force, whether it could be saved or not (I2).
bool StateKeeper::save(const Intent& intent) {
    auto text = serialise({intent.busGuid, intent.references, intent.rules->busRules(), intent.trials.all(),
                           intent.definitions.loaded()});
    if (text == saved_)
        return false;
    const auto done = store_.save(text);
    if (done)
        saved_ = std::move(text);
    if (done.has_value() == isSaved_)
        return false;
    isSaved_ = done.has_value();
    if (isSaved_)
        log::info("unit rules and references are saved again", {log::id(log::Message::StateSaved)});
    else
        log::error(done.error().context(
                       "unit rules and references are not saved, and would be lost with this process"),
                   {log::id(log::Message::StateNotSaved)});
    return true;
}

} // namespace filterd
