// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/filters/filter_record.hpp"

#include "base/digest.hpp"
#include "base/files.hpp"
#include "edge/bpf/filters/type_record.hpp"

#include <nlohmann/json.hpp>

#include <cstring>

namespace filterd::bpf {

namespace {

using nlohmann::json;

constexpr int kVersion = 2;
constexpr std::size_t kMaxRecordSize = std::size_t{64} << 20;
constexpr std::size_t kDigestLength = 64;

std::string toHex(const std::vector<bpf_insn>& instructions) {
    constexpr char kDigits[] = "0123456789abcdef";
    const auto* bytes = reinterpret_cast<const unsigned char*>(instructions.data());
    std::string text;
    text.reserve(instructions.size() * sizeof(bpf_insn) * 2);
    for (std::size_t i = 0; i < instructions.size() * sizeof(bpf_insn); ++i) {
        text += kDigits[bytes[i] >> 4];
        text += kDigits[bytes[i] & 0xf];
    }
    return text;
}

// The text was written by toHex(): its digest has been checked.
std::vector<bpf_insn> fromHex(const std::string& text) {
    const auto digit = [](char c) { return static_cast<unsigned char>(c <= '9' ? c - '0' : c - 'a' + 10); };
    std::vector<bpf_insn> instructions(text.size() / (sizeof(bpf_insn) * 2));
    auto* bytes = reinterpret_cast<unsigned char*>(instructions.data());
    for (std::size_t i = 0; i < instructions.size() * sizeof(bpf_insn); ++i)
        bytes[i] = static_cast<unsigned char>(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    return instructions;
}

json encodeMaps(const std::vector<RecordedMap>& maps) {
    json result = json::array();
    for (const auto& map : maps)
        result.push_back({{"name", map.name},
                          {"id", map.id},
                          {"type", map.facts.type},
                          {"maxEntries", map.facts.maxEntries},
                          {"key", encodeType(map.facts.key)},
                          {"value", encodeType(map.facts.value)},
                          {"kept", map.kept}});
    return result;
}

RecordedMap decodeMap(const json& data) {
    RecordedMap map{data.at("name"), data.at("id")};
    map.facts = {map.name, data.at("type"), data.at("maxEntries"), decodeType(data.at("key")),
                 decodeType(data.at("value"))};
    map.kept = data.value("kept", false);
    return map;
}

FilterRecord fromJson(const json& data, FilterName name) {
    FilterRecord record({std::move(name), data.at("digest")});
    record.direction = data.at("direction").get<FilterDirection>();
    record.programName = data.at("program");
    record.programId = data.at("programId");
    record.tag = data.at("tag");
    record.license = data.at("license");
    record.instructions = fromHex(data.at("instructions"));
    record.fusing = data.at("fusing").get<Fusing>();
    record.fusingReason = data.at("fusingReason");
    record.congestion = data.at("congestion");
    record.verifiedInstructions = data.at("verifiedInstructions");
    record.bothDirections = data.value("bothDirections", false);
    if (data.contains("rules"))
        record.rules = packet::parseNumbered(data.at("rules"));
    for (const auto& map : data.at("maps"))
        record.maps.push_back(decodeMap(map));
    record.parameters = decodeParameters(data.at("parameters"));
    return record;
}

tl::unexpected<Error> damaged() { return failure(ErrorCode::InvalidArgument, "damaged record of a filter"); }

} // namespace

std::filesystem::path recordOf(const std::filesystem::path& records, const FilterName& name) {
    return records / "filters" / (name.text() + ".json");
}

std::string encodeRecord(const FilterRecord& record) {
    json data{{"version", kVersion},
              {"name", record.instance.name.text()},
              {"digest", record.instance.digest},
              {"direction", record.direction},
              {"program", record.programName},
              {"programId", record.programId},
              {"tag", record.tag},
              {"license", record.license},
              {"maps", encodeMaps(record.maps)},
              {"parameters", encodeParameters(record.parameters)},
              {"instructions", toHex(record.instructions)},
              {"fusing", record.fusing},
              {"fusingReason", record.fusingReason},
              {"congestion", record.congestion},
              {"verifiedInstructions", record.verifiedInstructions},
              {"bothDirections", record.bothDirections}};
    if (record.rules)
        data["rules"] = packet::numberedText(*record.rules);
    const std::string text = data.dump();
    return sha256(text) + "\n" + text;
}

Result<FilterRecord> decodeRecord(const std::string& text) {
    if (text.size() <= kDigestLength || text[kDigestLength] != '\n')
        return damaged();
    const std::string body = text.substr(kDigestLength + 1);
    if (sha256(body) != text.substr(0, kDigestLength))
        return damaged();
    try {
        const json data = json::parse(body);
        auto name = FilterName::parse(data.at("name").get<std::string>());
        if (!name || data.at("version") != kVersion)
            return damaged();
        return fromJson(data, std::move(*name));
    } catch (const json::exception&) {
        return damaged();
    }
}

Status writeRecord(const std::filesystem::path& path, const FilterRecord& record) {
    return replaceFile(path, encodeRecord(record));
}

Result<FilterRecord> readRecord(const std::filesystem::path& path) {
    const auto text = readFile(path, kMaxRecordSize);
    if (!text)
        return failure(text.error());
    return decodeRecord(*text);
}

} // namespace filterd::bpf
