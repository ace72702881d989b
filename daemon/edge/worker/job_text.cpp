// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/worker/job_text.hpp"

#include "edge/bpf/filters/type_record.hpp"
#include "edge/worker/answer_check.hpp"
#include "edge/worker/content_text.hpp"

#include <nlohmann/json.hpp>

#include <utf8cpp/utf8.h>

namespace filterd::worker {

namespace {

using nlohmann::json;

json parse(const Delivery& delivery) { return json::from_cbor(delivery.bytes); }

// Sees how deep data is, since what reads it needs stack for each level, and that text is text: it is going
// to be saved, and told on the bus.
struct Soundness {
    static constexpr int kMost = 256; // types within types are three levels each
    int now = 0;
    bool isTooDeep = false;
    bool isText = true;
    bool hasFraction = false; // none of ours has, and as an integer it may be anything

    static bool null() { return true; }
    static bool boolean(bool) { return true; }
    static bool number_integer(json::number_integer_t) { return true; }
    static bool number_unsigned(json::number_unsigned_t) { return true; }
    bool number_float(json::number_float_t, const std::string&) { return !(hasFraction = true); }
    bool string(const std::string& text) {
        isText = isText && utf8::is_valid(text.begin(), text.end());
        return isText;
    }
    static bool binary(const json::binary_t&) { return true; }
    bool key(const std::string& text) { return string(text); }
    bool start_object(std::size_t) { return enter(); }
    bool start_array(std::size_t) { return enter(); }
    bool end_object() { return leave(); }
    bool end_array() { return leave(); }
    static bool parse_error(std::size_t, const std::string&, const json::exception&) { return false; }

    bool enter() {
        isTooDeep = ++now > kMost;
        return !isTooDeep;
    }
    bool leave() {
        --now;
        return true;
    }
};

json parseUntrusted(const Delivery& delivery) {
    Soundness seen;
    json::sax_parse(delivery.bytes, &seen, json::input_format_t::cbor);
    if (seen.isTooDeep)
        throw std::out_of_range("it is too deep");
    if (seen.hasFraction)
        throw std::out_of_range("it has a fraction");
    if (!seen.isText)
        throw std::invalid_argument("its text is not UTF-8");
    return parse(delivery);
}

json binaryOf(const std::vector<bpf_insn>& instructions) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(instructions.data());
    return json::binary({bytes, bytes + instructions.size() * sizeof(bpf_insn)});
}

std::vector<bpf_insn> instructionsOf(const json& data) {
    const auto& bytes = data.get_binary();
    std::vector<bpf_insn> instructions(bytes.size() / sizeof(bpf_insn));
    std::copy_n(bytes.begin(), instructions.size() * sizeof(bpf_insn),
                reinterpret_cast<std::uint8_t*>(instructions.data()));
    return instructions;
}

// ---- jobs -----------------------------------------------------------------------------------------------

constexpr const char* kMake = "make";
constexpr const char* kVerify = "verify";
constexpr const char* kNotes = "notes";

ObjectRequest requestOf(const json& data, const Delivery& job) {
    auto name = FilterName::parse(data.at("name").get<std::string>());
    if (!name)
        throw std::invalid_argument("no filter's name");
    ObjectRequest request{std::move(*name), contentOf(data.at("content")), data.at("program"),
                          valuesOf(data.at("parameters"))};
    std::size_t next = 1; // behind the map of counters
    for (const auto& map : data.at("maps"))
        request.earlierMaps.push_back(
            {mapFactsOf(map), map.at("open").get<bool>() ? job.fds.at(next++).get() : -1});
    if (data.contains("earlier")) {
        auto rules = packet::parseNumbered(data.at("earlier").get<std::string>());
        if (rules)
            request.earlier = EarlierRules{std::move(*rules), job.fds.at(next).get()};
    }
    return request;
}

FusedProgram fusedOf(const json& data) {
    FusedProgram program{instructionsOf(data.at("instructions")), {}};
    for (const auto& function : data.at("functions"))
        program.functions.push_back({function.at(0), function.at(1).get<FunctionKind>()});
    return program;
}

// ---- answers --------------------------------------------------------------------------------------------

json textOf(const Error& error) {
    return {{"error", {{"code", error.code}, {"message", error.message}, {"item", error.item}}}};
}

json textOf(const bpf::MadeFilter& made) {
    const auto& program = made.program;
    json maps = json::array();
    for (const auto& map : program.maps) {
        auto text = textOfMap(map.facts);
        text["own"] = map.name;
        text["kept"] = map.kept;
        maps.push_back(std::move(text));
    }
    json data{{"instructions", binaryOf(program.instructions)},
              {"maps", std::move(maps)},
              {"program", program.programName},
              {"license", program.license},
              {"direction", program.direction},
              {"parameters", bpf::encodeParameters(program.parameters)},
              {"both", program.bothDirections},
              {"forgotten", program.forgotten},
              {"fusing", made.inspection.fusing},
              {"reason", made.inspection.reason},
              {"congestion", made.inspection.congestion},
              {"verified", made.inspection.verifiedInstructions}};
    if (program.rules)
        data["rules"] = packet::numberedText(*program.rules);
    return data;
}

bpf::MadeFilter madeOf(const json& data, std::vector<UniqueFd> fds) {
    bpf::MadeFilter made;
    auto& program = made.program;
    program.program = std::move(fds.at(0));
    program.instructions = instructionsOf(data.at("instructions"));
    std::size_t next = 1;
    for (const auto& map : data.at("maps"))
        program.maps.push_back(
            {map.at("own"), std::move(fds.at(next++)), mapFactsOf(map), map.at("kept").get<bool>()});
    program.programName = data.at("program");
    program.license = data.at("license");
    program.direction = enumOf(data.at("direction"), FilterDirection::Egress);
    program.parameters = bpf::decodeParameters(data.at("parameters"));
    program.bothDirections = data.at("both");
    program.forgotten = data.at("forgotten").get<std::vector<std::string>>();
    if (data.contains("rules"))
        program.rules = packet::parseNumbered(data.at("rules").get<std::string>());
    made.inspection.fusing = enumOf(data.at("fusing"), bpf::Fusing::OwnLink);
    made.inspection.reason = data.at("reason");
    made.inspection.congestion = data.at("congestion");
    made.inspection.verifiedInstructions = data.at("verified");
    return made;
}

Error errorOf(const json& data) {
    return {enumOf(data.at("code"), ErrorCode::Internal), data.at("message"), data.at("item")};
}

template<typename Read>
auto read(Delivery& answer, Read take) -> decltype(take(json())) {
    try {
        const auto data = parseUntrusted(answer);
        if (data.contains("error"))
            return failure(errorOf(data.at("error")));
        return take(data);
    } catch (const std::exception& thrown) {
        return failure(ErrorCode::Internal,
                       std::string("a worker gave an answer that cannot be read: ") + thrown.what());
    }
}

} // namespace

// ---- in the daemon --------------------------------------------------------------------------------------

Parcel makeJob(const ObjectRequest& request, int counterMap) {
    Parcel parcel{{}, {counterMap}};
    json maps = json::array();
    for (const auto& map : request.earlierMaps) {
        auto text = textOfMap(map.facts);
        text["open"] = map.fd >= 0;
        maps.push_back(std::move(text));
        if (map.fd >= 0)
            parcel.fds.push_back(map.fd);
    }
    json data{{"kind", kMake},
              {"name", request.name.text()},
              {"content", textOf(request.content)},
              {"program", request.program},
              {"parameters", textOf(request.parameters)},
              {"maps", std::move(maps)}};
    if (request.earlier) {
        data["earlier"] = packet::numberedText(request.earlier->rules);
        parcel.fds.push_back(request.earlier->counters);
    }
    parcel.bytes = json::to_cbor(data);
    return parcel;
}

Parcel verifyJob(const bpf::ProgramText& text) {
    json functions = json::array();
    for (const auto& function : text.program.functions)
        functions.push_back({function.instruction, function.kind});
    return {json::to_cbor({{"kind", kVerify},
                           {"name", text.name},
                           {"license", text.license},
                           {"type", text.type},
                           {"instructions", binaryOf(text.program.instructions)},
                           {"functions", std::move(functions)}}),
            {text.maps.begin(), text.maps.end()}};
}

Parcel notesJob(const std::vector<packet::PacketRules>& lists) {
    json contents = json::array();
    for (const auto& rules : lists)
        contents.push_back(textOf(FilterContent(rules)));
    return {json::to_cbor({{"kind", kNotes}, {"lists", std::move(contents)}}), {}};
}

Result<bpf::MadeFilter> readMade(Delivery answer) {
    return read(answer, [&](const json& data) -> Result<bpf::MadeFilter> {
        auto made = madeOf(data, std::move(answer.fds));
        if (auto checked = checkMade(made); !checked)
            return failure(checked.error());
        return made;
    });
}

Result<UniqueFd> readVerified(Delivery answer) {
    return read(answer, [&](const json&) -> Result<UniqueFd> {
        if (auto checked = checkProgram(answer.fds.at(0).get()); !checked)
            return failure(checked.error());
        return std::move(answer.fds.at(0));
    });
}

Result<RuleNoter::Notes> readNotes(Delivery answer) {
    return read(answer, [](const json& data) -> Result<RuleNoter::Notes> {
        RuleNoter::Notes notes;
        for (const auto& list : data.at("lists")) {
            auto& some = notes.emplace_back();
            for (const auto& note : list)
                some.push_back({note.at(0), note.at(1)});
        }
        return notes;
    });
}

// ---- in the worker --------------------------------------------------------------------------------------

namespace {

Answer doMake(const json& data, const Delivery& job, bpf::ProgramWorks& works) {
    auto made = std::make_shared<Result<bpf::MadeFilter>>(
        works.makeFilter(requestOf(data, job), job.fds.at(0).get()));
    if (!*made)
        return {{json::to_cbor(textOf(made->error())), {}}, {}};
    Parcel parcel{json::to_cbor(textOf(**made)), {(*made)->program.program.get()}};
    for (const auto& map : (*made)->program.maps)
        parcel.fds.push_back(map.fd.get());
    return {std::move(parcel), std::move(made)};
}

Answer doVerify(const json& data, const Delivery& job, bpf::ProgramWorks& works) {
    const auto program = fusedOf(data);
    std::vector<int> maps;
    for (const auto& fd : job.fds)
        maps.push_back(fd.get());
    auto verified = std::make_shared<Result<UniqueFd>>(
        works.verify({data.at("name"), data.at("license"), data.at("type").get<Direction>(), program, maps}));
    if (!*verified)
        return {{json::to_cbor(textOf(verified->error())), {}}, {}};
    return {{json::to_cbor(json::object()), {(*verified)->get()}}, verified};
}

Answer doNotes(const json& data, packet::ExpressionCompiler& expressions) {
    packet::CompiledRuleNotes notes(expressions);
    json lists = json::array();
    for (const auto& content : data.at("lists")) {
        json list = json::array();
        for (const auto& note : notes.about(std::get<packet::PacketRules>(contentOf(content))))
            list.push_back({note.rule, note.text});
        lists.push_back(std::move(list));
    }
    return {{json::to_cbor({{"lists", std::move(lists)}}), {}}, {}};
}

} // namespace

Answer doJob(const Delivery& job, const Tools& tools) {
    const auto data = parse(job);
    const auto& kind = data.at("kind");
    if (kind == kNotes)
        return doNotes(data, tools.expressions);
    return kind == kMake ? doMake(data, job, tools.works) : doVerify(data, job, tools.works);
}

} // namespace filterd::worker
