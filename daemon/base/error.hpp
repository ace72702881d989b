// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The closed list of what can go wrong, and how an error gains context on its way up.

#include <string>
#include <string_view>
#include <utility>

namespace filterd {

// Each code is one D-Bus error name, org.filterd1.Error.<name>; see errorName().
enum class ErrorCode {
#define FILTERD_ERROR(name, meaning) name,
#include "base/errors.def"
#undef FILTERD_ERROR
};

[[nodiscard]] std::string_view errorName(ErrorCode code);

struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string message;   // one sentence: the thing, the place, the way out
    std::string item = {}; // which part of a request it is about: a parameter's name, a rule's number

    [[nodiscard]] Error context(std::string_view where) const {
        return {code, std::string(where) + ": " + message, item};
    }
    [[nodiscard]] Error about(std::string part) const { return {code, message, std::move(part)}; }
};

// KernelRefused with "what: strerror(errnum)".
[[nodiscard]] Error systemError(std::string_view what, int errnum);

} // namespace filterd
