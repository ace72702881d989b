// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/filters/load_request.hpp"

namespace filterd {

namespace {

std::string digestFor(const LoadRequest& request, const std::string& program) {
    return digestOf(request.content, program, request.parameters);
}

} // namespace

// A caller may name the object's only program or leave the choice to us: the content is the same.
bool isSame(const FilterFacts& loaded, const LoadRequest& request) {
    if (loaded.instance.digest == digestFor(request, request.program))
        return true;
    const bool sameProgram = request.program.empty() || request.program == loaded.programName;
    return sameProgram && (loaded.instance.digest == digestFor(request, "") ||
                           loaded.instance.digest == digestFor(request, loaded.programName));
}

Result<LoadedFilter> loadInstance(Enforcement& inForce, const LoadRequest& request) {
    return inForce.load({request.name, request.content, request.program, request.parameters},
                        digestFor(request, request.program));
}

} // namespace filterd
