// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Holds what filterctl has to know of a verb before it runs it.

#include <string_view>

namespace filterd::cli {

// Says what a verb does with --json.
enum class JsonUse {
    Prints,  // JSON in place of text
    Silent,  // nothing: it prints no data
    Refuses, // what it prints has a format of its own
};

struct VerbTraits {
    std::string_view name;
    JsonUse json = JsonUse::Silent;
    std::string_view output = {}; // what it prints, if that has a format of its own
    bool isLocal = false;         // it looks at files, pins or programs of this machine itself
    bool mayAsk = false;          // a call of it may need an authorization
    bool isCommon = false;        // shown where no verb was given
};

// Returns the traits of a verb that there is.
[[nodiscard]] const VerbTraits& traitsOf(std::string_view verb);

} // namespace filterd::cli
