// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/filters/load_request.hpp"

namespace filterd {

bool isSame(const FilterFacts& loaded, const LoadRequest& request) {
    return isDigestOf(loaded.instance.digest, loaded.programName, request.content, request.program,
                      request.parameters);
}

Result<LoadedFilter> loadInstance(Enforcement& inForce, const LoadRequest& request) {
    return inForce.load({request.name, request.content, request.program, request.parameters},
                        digestOf(request.content, request.program, request.parameters));
}

} // namespace filterd
