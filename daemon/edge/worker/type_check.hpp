// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once

#include "core/value/value_type.hpp"

namespace filterd::worker {

// Values are read and written by what their types say. Returns whether no value of this one leads anybody
// beyond its bytes, or deeper than there is stack.
[[nodiscard]] bool isSound(const ValueType& type);

} // namespace filterd::worker
