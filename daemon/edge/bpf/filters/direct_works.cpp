// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/filters/direct_works.hpp"

namespace filterd::bpf {

Result<MadeFilter> DirectWorks::makeFilter(const ObjectRequest& request, int counterMap,
                                           const std::string& /*identity*/) {
    auto program = intake_.load(request);
    if (!program)
        return failure(program.error());
    auto inspection = inspect(*program, loader_, counterMap);
    return MadeFilter{std::move(*program), std::move(inspection)};
}

} // namespace filterd::bpf
