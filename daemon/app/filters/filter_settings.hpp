// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Parameters and map entries of loaded filters by their names: read, set live, and kept over a reboot.

#include "ports/ports.hpp"
#include "ports/value_ports.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace filterd {

// A value as it is now: its text is what set() takes.
struct Reading {
    ValueType type;
    Bytes bytes;
    std::string text;
};

struct ParameterView {
    Parameter parameter;
    std::string value;
};

// A value that is kept for a filter's name, and what the filter's file states for it, if anything.
struct SavedValue {
    std::string name;
    std::string value;
    std::optional<std::string> stated;
    bool operator==(const SavedValue&) const = default;
};

enum class Keep : std::uint8_t { UntilUnload, OverReboot };

// Returns what a filter's .filter file states in [Parameters], by name.
using StatedValues = std::function<std::map<std::string, std::string>(const FilterName&)>;

// Errors of all: NoSuchParameter, InvalidArgument (with what is accepted), NoSuchEntry, LimitExceeded,
// Unsupported, KernelRefused. A failed change changes nothing (I2).
class FilterSettings {
  public:
    FilterSettings(FilterValues& values, ParameterStore& store, StatedValues stated)
        : values_(values), store_(store), stated_(std::move(stated)) {}

    [[nodiscard]] Result<std::vector<ParameterView>> parameters(const FilterFacts& filter) const;
    // A global, or the whole content of a map.
    [[nodiscard]] Result<Reading> get(const FilterFacts& filter, const std::string& name) const;
    [[nodiscard]] Status set(const FilterFacts& filter, const std::string& name, const Value& value,
                             Keep keep);

    // One value; of a per-CPU map one for each CPU.
    [[nodiscard]] Result<std::vector<Reading>> lookup(const FilterFacts& filter, const std::string& map,
                                                      const Value& key) const;
    [[nodiscard]] Status update(const FilterFacts& filter, const std::string& map, const Value& key,
                                const Value& value);
    [[nodiscard]] Status remove(const FilterFacts& filter, const std::string& map, const Value& key);
    [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> dump(const FilterFacts& filter,
                                                                                const std::string& map) const;

    // Gives a filter that was just loaded what was kept for its name: a saved value comes before what the
    // file states, which comes before the object's own. What no longer fits, and what a file states in vain,
    // is logged.
    void restore(const FilterFacts& filter);
    // Returns, a sentence each, what is kept for a loaded filter and does not fit it.
    [[nodiscard]] const std::vector<std::string>& misfits(const FilterFacts& filter) const;

    [[nodiscard]] Result<std::vector<SavedValue>> saved(const FilterName& filter) const;
    // Keeps these names no longer, or none at all if no name is given, and returns those that were kept.
    // NoSuchEntry: one of them was not.
    [[nodiscard]] Result<std::vector<std::string>> forget(const FilterName& filter,
                                                          const std::vector<std::string>& names);
    // Gives a loaded filter what its file states for these names.
    void followFile(const FilterFacts& filter, const std::vector<std::string>& names);

  private:
    struct Prepared;
    [[nodiscard]] static Result<Prepared> prepare(const FilterFacts& filter, const std::string& name,
                                                  const Value& value);
    [[nodiscard]] Status apply(const FilterFacts& filter, const std::string& name, const Value& value);
    [[nodiscard]] bool isSame(const FilterFacts& filter, const std::string& name, const std::string& one,
                              const std::string& other) const;
    [[nodiscard]] std::vector<std::string> findMisfits(const FilterFacts& filter) const;
    void forgetMisfits(const FilterName& filter);
    [[nodiscard]] Status remember(const FilterFacts& filter, const std::string& name);

    FilterValues& values_;
    ParameterStore& store_;
    StatedValues stated_;
    // Whoever asks for the warnings must not have every file read again.
    mutable std::map<FilterInstance, std::vector<std::string>> misfits_;
};

} // namespace filterd
