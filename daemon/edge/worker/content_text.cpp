// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/worker/content_text.hpp"

#include "edge/bpf/filters/type_record.hpp"

#include <algorithm>

namespace filterd::worker {

namespace {

using nlohmann::json;

// ---- values: what kind of value it is, and the value ----------------------------------------------------

json valueText(const Value& value);

struct ValueText {
    json operator()(const ValueList& list) const {
        json items = json::array();
        for (const auto& item : list)
            items.push_back(valueText(item));
        return items;
    }
    json operator()(const ValueTable& table) const {
        json items = json::array();
        for (const auto& item : table)
            items.push_back({item.name, valueText(item.value)});
        return items;
    }
    json operator()(const Assignments& assignments) const { return assignments.texts; }
    template<typename Plain>
    json operator()(const Plain& plain) const {
        return plain;
    }
};

json valueText(const Value& value) { return {value.data.index(), std::visit(ValueText(), value.data)}; }

Value valueOf(const json& data);

ValueList listOf(const json& data) {
    ValueList list;
    for (const auto& item : data)
        list.push_back(valueOf(item));
    return list;
}

ValueTable tableOf(const json& data) {
    ValueTable table;
    for (const auto& item : data)
        table.push_back({item.at(0), valueOf(item.at(1))});
    return table;
}

Value valueOf(const json& data) {
    const auto& value = data.at(1);
    switch (data.at(0).get<std::size_t>()) {
    case 0:
        return {value.get<std::string>()};
    case 1:
        return {value.get<bool>()};
    case 2:
        return {value.get<std::int64_t>()};
    case 3:
        return {value.get<std::uint64_t>()};
    case 4:
        return {listOf(value)};
    case 5:
        return {tableOf(value)};
    case 6:
        return {Assignments{value.get<std::vector<std::string>>()}};
    default:
        throw std::out_of_range("no kind of value");
    }
}

static_assert(std::variant_size_v<decltype(Value::data)> == 7);

// ---- content --------------------------------------------------------------------------------------------

struct ContentText {
    json operator()(const ElfObject& object) const {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(object.bytes.data());
        return {{"object", json::binary({bytes, bytes + object.bytes.size()})}};
    }
    json operator()(const packet::PacketRules& rules) const {
        json list = json::array();
        for (const auto& rule : rules.rules)
            list.push_back({rule.verdict, rule.expression});
        return {{"rules", std::move(list)}, {"default", rules.byDefault}, {"unparsable", rules.unparsable}};
    }
    json operator()(const BuiltinFilter& filter) const { return {{"builtin", filter.name}}; }
};

packet::PacketRules rulesOf(const json& data) {
    packet::PacketRules rules;
    for (const auto& rule : data.at("rules"))
        rules.rules.push_back({enumOf(rule.at(0), packet::Verdict::Allow), rule.at(1)});
    rules.byDefault = enumOf(data.at("default"), packet::Verdict::Allow);
    rules.unparsable = enumOf(data.at("unparsable"), packet::Verdict::Allow);
    return rules;
}

} // namespace

json textOf(const FilterContent& content) { return std::visit(ContentText(), content); }

FilterContent contentOf(const json& data) {
    if (data.contains("rules"))
        return rulesOf(data);
    if (data.contains("builtin"))
        return BuiltinFilter{data.at("builtin")};
    const auto& bytes = data.at("object").get_binary();
    ElfObject object;
    object.bytes.resize(bytes.size());
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(object.bytes.data()));
    return object;
}

json textOf(const std::map<std::string, Value>& values) {
    json text = json::object();
    for (const auto& [name, value] : values)
        text[name] = valueText(value);
    return text;
}

std::map<std::string, Value> valuesOf(const json& data) {
    std::map<std::string, Value> values;
    for (const auto& [name, value] : data.items())
        values.emplace(name, valueOf(value));
    return values;
}

json textOfMap(const MapFacts& map) {
    return {{"name", map.name},
            {"type", map.type},
            {"entries", map.maxEntries},
            {"key", bpf::encodeType(map.key)},
            {"value", bpf::encodeType(map.value)}};
}

MapFacts mapFactsOf(const json& data) {
    return {data.at("name"), data.at("type"), data.at("entries"), bpf::decodeType(data.at("key")),
            bpf::decodeType(data.at("value"))};
}

} // namespace filterd::worker
