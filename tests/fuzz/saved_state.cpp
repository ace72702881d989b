// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What filterd has saved of itself: the intent, and the files that were good.

#include "app/persistence/saved_state.hpp"

#include "fuzz.hpp"

namespace filterd::fuzz {
namespace {

void checkState(const std::string& text) {
    const auto state = parseState(text);
    if (!state) {
        require(state.error().code == ErrorCode::BadConfiguration, "a damaged state is a bad configuration");
        return;
    }
    const auto saved = serialise(*state);
    const auto again = parseState(saved);
    require(again && serialise(*again) == saved, "a state is saved as it was read", saved);
    require(again->busRules == state->busRules && again->trials == state->trials &&
                again->defined == state->defined && again->references.all() == state->references.all(),
            "a state is read as it was saved", saved);
}

void checkConfiguration(const std::string& text) {
    const auto configuration = parseConfiguration(text);
    if (!configuration) {
        require(configuration.error().code == ErrorCode::BadConfiguration,
                "a damaged configuration is a bad one");
        return;
    }
    const auto saved = serialiseConfiguration(*configuration);
    const auto again = parseConfiguration(saved);
    require(again && serialiseConfiguration(*again) == saved && again->filters == configuration->filters,
            "a configuration is read as it was saved", saved);
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(filterd::fuzz::textOf(data, size));
    filterd::fuzz::checkState(text);
    filterd::fuzz::checkConfiguration(text);
    return 0;
}
