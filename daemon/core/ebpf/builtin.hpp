// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Filters that filterd assembles itself: no compiler and no object file is needed where they run.

#include "core/value/parameter.hpp"
#include "core/value/value.hpp"

#include <linux/bpf.h>
#include <optional>
#include <string_view>
#include <vector>

namespace filterd {

// Begins the name that stands for the object of a built-in filter: "builtin:mtu".
inline constexpr std::string_view kBuiltinPrefix = "builtin:";

struct Builtin {
    std::vector<bpf_insn> instructions; // its globals are map 0, if it has any
    std::vector<Parameter> parameters = {};
    Bytes globals = {}; // their first values
};

// drop, pass, mtu: they decide as the catalogue's filters of these names do. Nothing for another name.
[[nodiscard]] std::optional<Builtin> builtin(std::string_view name);

} // namespace filterd
