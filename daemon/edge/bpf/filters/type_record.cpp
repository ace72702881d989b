// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/filters/type_record.hpp"

namespace filterd::bpf {

using nlohmann::json;

json encodeType(const ValueType& type) {
    json data{{"kind", type.kind}, {"name", type.name}, {"size", type.size}};
    if (type.isSigned)
        data["signed"] = true;
    if (type.bigEndian)
        data["bigEndian"] = true;
    if (type.count > 0)
        data["count"] = type.count;
    for (const auto& member : type.elements)
        data["elements"].push_back(
            {{"name", member.name}, {"offset", member.offset}, {"type", encodeType(member.type)}});
    if (!type.enumerators.empty())
        data["enumerators"] = type.enumerators;
    if (type.least)
        data["least"] = *type.least;
    if (type.most)
        data["most"] = *type.most;
    return data;
}

ValueType decodeType(const json& data) {
    ValueType type;
    type.kind = data.at("kind").get<ValueKind>();
    type.name = data.at("name");
    type.size = data.at("size");
    type.isSigned = data.value("signed", false);
    type.bigEndian = data.value("bigEndian", false);
    type.count = data.value("count", std::uint32_t{0});
    if (data.contains("elements"))
        for (const auto& member : data.at("elements"))
            type.elements.push_back({member.at("name"), member.at("offset"), decodeType(member.at("type"))});
    if (data.contains("enumerators"))
        type.enumerators = data.at("enumerators").get<decltype(type.enumerators)>();
    if (data.contains("least"))
        type.least = data.at("least").get<std::int64_t>();
    if (data.contains("most"))
        type.most = data.at("most").get<std::int64_t>();
    return type;
}

json encodeParameters(const std::vector<Parameter>& parameters) {
    json list = json::array();
    for (const auto& parameter : parameters)
        list.push_back({{"name", parameter.name},
                        {"type", encodeType(parameter.type)},
                        {"settable", parameter.settable},
                        {"map", parameter.map},
                        {"offset", parameter.offset}});
    return list;
}

std::vector<Parameter> decodeParameters(const json& data) {
    std::vector<Parameter> parameters;
    for (const auto& one : data)
        parameters.push_back({one.at("name"), decodeType(one.at("type")), one.at("settable").get<Settable>(),
                              one.at("map"), one.at("offset")});
    return parameters;
}

} // namespace filterd::bpf
