// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Maps that an object asks to have pinned by their names: a filter that replaces another goes on with those
// of the other one, so that no conversation is cut and no count begins anew.

#include "ports/ports.hpp"

#include <bpf/libbpf.h>

#include <string>
#include <vector>

namespace filterd::bpf {

struct DescribedMap {
    MapFacts facts;
    bool kept = false;
};

// Describes the maps of an object that is not loaded, in its order. libbpf pins none of them from now on: who
// publishes the filter does.
[[nodiscard]] std::vector<DescribedMap> describeMaps(bpf_object* object);

// Gives an object that is not loaded the earlier maps that it can go on with, as far as there are
// descriptors, but for maps of which the request says what is in them: those of a filter in force must not
// change before it is replaced (I2). Returns those that it cannot go on with, each as 'NAME' and why.
[[nodiscard]] Result<std::vector<std::string>> takeEarlierMaps(const bpf_object* object,
                                                               const std::vector<DescribedMap>& maps,
                                                               const ObjectRequest& request);

} // namespace filterd::bpf
