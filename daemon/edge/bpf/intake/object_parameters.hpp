// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The parameters of an opened object: what they are, and their values before it is loaded.

#include "ports/ports.hpp"

#include <bpf/libbpf.h>

namespace filterd::bpf {

// The name as in the source: libbpf puts the object's before that of a map of globals.
[[nodiscard]] std::string mapNameOf(const bpf_map* map);

[[nodiscard]] MapFacts describeMap(const bpf_object* object, const bpf_map* map);

// Every global variable that can be set, its map by index among those of the object. Errors: InvalidObject.
[[nodiscard]] Result<std::vector<Parameter>> describeParameters(const bpf_object* object);

// Sets globals in an object that is not loaded yet. Errors: NoSuchParameter, InvalidArgument.
[[nodiscard]] Status setGlobals(const bpf_object* object, const std::map<std::string, Value>& values);

// Returns whether fillMaps() can take these values. Errors: InvalidArgument, LimitExceeded, Unsupported.
[[nodiscard]] Status checkEntries(const bpf_object* object, const std::map<std::string, Value>& values);

// Fills maps of a loaded object. Errors: InvalidArgument, LimitExceeded, KernelRefused.
[[nodiscard]] Status fillMaps(const bpf_object* object, const std::map<std::string, Value>& values);

} // namespace filterd::bpf
