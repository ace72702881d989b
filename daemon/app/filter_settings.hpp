#pragma once
// Parameters and map entries of loaded filters by their names: read, set live, and kept over a reboot.

#include "core/ports.hpp"
#include "core/value_ports.hpp"

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

enum class Keep : std::uint8_t { UntilUnload, OverReboot };

// Errors of all: NoSuchParameter, InvalidArgument (with what is accepted), NoSuchEntry, LimitExceeded,
// Unsupported, KernelRefused. A failed change changes nothing (I2).
class FilterSettings {
  public:
    FilterSettings(FilterValues& values, ParameterStore& store) : values_(values), store_(store) {}

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

    // Gives a filter that was just loaded what was kept for its name. What no longer fits is logged.
    void restore(const FilterFacts& filter);

  private:
    [[nodiscard]] Status apply(const FilterFacts& filter, const std::string& name, const Value& value);
    [[nodiscard]] Status remember(const FilterFacts& filter, const std::string& name);

    FilterValues& values_;
    ParameterStore& store_;
};

} // namespace filterd
