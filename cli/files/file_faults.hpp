// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Which errors of configuration files are about a rule or a filter.

#include <string>
#include <vector>

namespace filterd::cli {

// `name`: of a filter, a .queue file or a unit; `errors`: each as FILE:LINE: …, or FILE: …
[[nodiscard]] std::vector<std::string> faultsOf(const std::string& name,
                                                const std::vector<std::string>& errors);

} // namespace filterd::cli
