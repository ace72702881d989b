// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once

#include "base/result.hpp"

#include <exception>
#include <string>
#include <string_view>

namespace filterd {

// A border that no exception passes: what a step throws becomes the error of the one thing it was about, so
// that it stops nothing else.
template<typename Step>
[[nodiscard]] Status confine(std::string_view thing, Step&& step) {
    try {
        std::forward<Step>(step)();
        return {};
    } catch (const std::exception& thrown) {
        return failure(ErrorCode::Internal, std::string(thing) + ": cannot be handled: " + thrown.what() +
                                                "; this is a fault of filterd, please report it");
    }
}

} // namespace filterd
