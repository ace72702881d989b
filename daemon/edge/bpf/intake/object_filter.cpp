// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/intake/object_filter.hpp"

#include "core/ebpf/filter_code.hpp"
#include "core/object/object_check.hpp"
#include "edge/bpf/intake/kept_maps.hpp"
#include "edge/bpf/intake/libbpf_messages.hpp"
#include "edge/bpf/intake/object_parameters.hpp"
#include "edge/bpf/intake/object_tags.hpp"
#include "edge/bpf/programs/verifier_log.hpp"
#include "kernel/bpf_calls.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <memory>
#include <unistd.h>
#include <unordered_map>

namespace filterd::bpf {

namespace {

constexpr std::size_t kLogSize = std::size_t{16} << 20;

struct ObjectCloser {
    void operator()(bpf_object* object) const { ::bpf_object__close(object); }
};
using ObjectPtr = std::unique_ptr<bpf_object, ObjectCloser>;

// The claims of a section name about its program.
struct SectionClaim {
    bool packetFilter = true;
    FilterDirection direction = FilterDirection::Either;
};

std::string sectionOf(const bpf_program* program) { return ::bpf_program__section_name(program); }
std::string nameOf(const bpf_program* program) { return ::bpf_program__name(program); }

bool isBelow(std::string_view section, std::string_view name) {
    return section == name || (section.starts_with(name) && section[name.size()] == '/');
}

constexpr const char* kKernelTypes = "/sys/kernel/btf/vmlinux";

SectionClaim claimOf(const bpf_program* program) {
    const std::string section = sectionOf(program);
    if (isBelow(section, "cgroup_skb/ingress"))
        return {true, FilterDirection::Ingress};
    if (isBelow(section, "cgroup_skb/egress"))
        return {true, FilterDirection::Egress};
    bpf_prog_type type = BPF_PROG_TYPE_UNSPEC;
    bpf_attach_type attach{};
    const bool claimed = ::libbpf_prog_type_by_name(section.c_str(), &type, &attach) == 0;
    return {!claimed || type == BPF_PROG_TYPE_CGROUP_SKB, FilterDirection::Either};
}

std::string because(const std::string& reason) { return reason.empty() ? "" : ": " + reason; }

// libbpf believes what an object says of itself: one wrong byte would end the process.
Result<ObjectPtr> open(const ElfObject& content, const ObjectRequest& request) {
    if (auto checked = checkObject(content.bytes); !checked)
        return failure(ErrorCode::InvalidObject,
                       "not a usable BPF object" + because(printable(checked.error().message)));
    forgetLibbpfWarnings();
    bpf_object_open_opts options{};
    options.sz = sizeof options;
    options.object_name = request.name.text().c_str();
    // Named, or libbpf would look for types that the kernel does not have among its modules', for which
    // CAP_SYS_ADMIN is needed, and fail.
    if (::access(kKernelTypes, R_OK) == 0)
        options.btf_custom_path = kKernelTypes;
    ObjectPtr object(::bpf_object__open_mem(content.bytes.data(), content.bytes.size(), &options));
    if (!object)
        return failure(ErrorCode::InvalidObject, "not a usable BPF object" + because(libbpfReason()));
    return object;
}

std::vector<bpf_program*> programsOf(const bpf_object* object) {
    std::vector<bpf_program*> programs;
    bpf_program* program = nullptr;
    while ((program = ::bpf_object__next_program(object, program)) != nullptr)
        programs.push_back(program);
    return programs;
}

std::string choices(const std::vector<bpf_program*>& programs) {
    std::string text;
    for (const auto* program : programs)
        text += (text.empty() ? "" : ", ") + printable(nameOf(program));
    return text;
}

Error wrongType(const bpf_program* program) {
    return {ErrorCode::WrongProgramType,
            "program '" + printable(nameOf(program)) + "' is in section '" + printable(sectionOf(program)) +
                "': a packet filter belongs in cgroup/skb, cgroup_skb/ingress or cgroup_skb/egress"};
}

Result<bpf_program*> chooseNamed(const std::vector<bpf_program*>& programs, const std::string& name) {
    for (auto* program : programs)
        if (nameOf(program) == name)
            return claimOf(program).packetFilter ? Result<bpf_program*>(program)
                                                 : failure(wrongType(program));
    return failure(ErrorCode::NoSuchProgram,
                   "the object has no program '" + printable(name) + "', but " + choices(programs));
}

Result<bpf_program*> choose(const bpf_object* object, const std::string& name) {
    const auto programs = programsOf(object);
    if (programs.empty())
        return failure(ErrorCode::InvalidObject, "the object has no program: give the filter a section, e.g. "
                                                 "SEC(\"cgroup/skb\")");
    if (!name.empty())
        return chooseNamed(programs, name);
    std::vector<bpf_program*> candidates;
    for (auto* program : programs)
        if (claimOf(program).packetFilter)
            candidates.push_back(program);
    if (candidates.empty())
        return failure(wrongType(programs.front()));
    if (candidates.size() > 1)
        return failure(ErrorCode::NoSuchProgram,
                       "the object has several programs, choose one: " + choices(candidates));
    return candidates.front();
}

bool hasProgramArray(const bpf_object* object) {
    const bpf_map* map = nullptr;
    while ((map = ::bpf_object__next_map(object, map)) != nullptr)
        if (::bpf_map__type(map) == BPF_MAP_TYPE_PROG_ARRAY)
            return true;
    return false;
}

// Only the chosen program is loaded, and, where the object has a program array, the packet filters beside it,
// which may be in that array.
void selectForLoad(const bpf_object* object, const bpf_program* chosen, bpf_attach_type either) {
    const bool withTargets = hasProgramArray(object);
    for (auto* program : programsOf(object)) {
        const auto claim = claimOf(program);
        ::bpf_program__set_autoload(program, program == chosen || (withTargets && claim.packetFilter));
        if (!claim.packetFilter)
            continue;
        ::bpf_program__set_type(program, BPF_PROG_TYPE_CGROUP_SKB);
        ::bpf_program__set_expected_attach_type(program, claim.direction == FilterDirection::Either ? either
                                                         : claim.direction == FilterDirection::Ingress
                                                             ? BPF_CGROUP_INET_INGRESS
                                                             : BPF_CGROUP_INET_EGRESS);
    }
}

bool isSystemTrouble(int errnum) {
    return errnum == EPERM || errnum == ENOMEM || errnum == EMFILE || errnum == ENFILE;
}

// Says which program failed, of an object of which several are loaded.
std::string whichProgram(const bpf_object* object) {
    const auto name = programOfLibbpfWarnings();
    return programsOf(object).size() < 2 || name.empty() ? "" : "program '" + name + "': ";
}

Error explainLoadFailure(int errnum, const char* log) {
    if (log[0] != '\0')
        return {ErrorCode::VerifierRejected, "the verifier refused it:\n" + endOfVerifierLog(log)};
    const std::string warning = libbpfReason();
    if (errnum == EPERM)
        return {ErrorCode::KernelRefused,
                "the kernel does not let us load it: CAP_BPF and CAP_NET_ADMIN are needed" +
                    because(warning)};
    if (isSystemTrouble(errnum))
        return {ErrorCode::KernelRefused, systemError("load", errnum).message + because(warning)};
    if (errnum == E2BIG)
        return {ErrorCode::LimitExceeded, "too large for the kernel" + because(warning)};
    return {ErrorCode::InvalidObject, "the object cannot be loaded" + because(warning)};
}

Status loadChosen(bpf_object* object, bpf_program* chosen, bpf_attach_type either) {
    selectForLoad(object, chosen, either);
    const auto log = std::make_unique_for_overwrite<char[]>(kLogSize);
    log[0] = '\0';
    for (auto* program : programsOf(object))
        ::bpf_program__set_log_buf(program, log.get(), kLogSize);
    forgetLibbpfWarnings();
    const int error = ::bpf_object__load(object);
    for (auto* program : programsOf(object))
        ::bpf_program__set_log_buf(program, nullptr, 0);
    if (error < 0) {
        auto reason = explainLoadFailure(-error, log.get());
        reason.message.insert(0, whichProgram(object));
        return failure(std::move(reason));
    }
    return {};
}

using MapIndex = std::unordered_map<int, std::int32_t>; // libbpf's descriptor -> index in the result

// As they were described before they were loaded: of a map that was taken over libbpf knows no types of the
// object.
Result<MapIndex> takeMaps(const bpf_object* object, const std::vector<DescribedMap>& described,
                          std::vector<FilterMap>& maps) {
    MapIndex index;
    const bpf_map* map = nullptr;
    for (const auto& one : described) {
        map = ::bpf_object__next_map(object, map);
        const int fd = ::bpf_map__fd(map);
        auto copy = duplicate(fd);
        if (!copy)
            return failure(copy.error());
        index.emplace(fd, static_cast<std::int32_t>(maps.size()));
        maps.push_back({one.facts.name, std::move(*copy), one.facts, one.kept});
    }
    return index;
}

Status takeInstructions(const bpf_program* program, const MapIndex& index,
                        std::vector<bpf_insn>& instructions) {
    const auto* first = ::bpf_program__insns(program);
    instructions.assign(first, first + ::bpf_program__insn_cnt(program));
    for (std::size_t i = 0; i < instructions.size(); ++i) {
        auto& insn = instructions[i];
        if (insn.code != kLoadWide)
            continue;
        ++i; // its second half
        if (insn.src_reg != BPF_PSEUDO_MAP_FD && insn.src_reg != BPF_PSEUDO_MAP_VALUE)
            continue;
        const auto found = index.find(insn.imm);
        if (found == index.end())
            return failure(ErrorCode::InvalidObject,
                           "the program refers to a map that the object does not have");
        insn.imm = found->second;
    }
    return {};
}

struct ChosenProgram {
    ObjectPtr object;
    bpf_program* program = nullptr;
    std::vector<DescribedMap> maps;
    ObjectOutline outline;
};

Result<FilterProgram> take(const ChosenProgram& chosen, FilterDirection direction) {
    const auto* object = chosen.object.get();
    const auto* program = chosen.program;
    FilterProgram result;
    result.direction = direction;
    result.bothDirections = chosen.outline.bothDirections;
    result.forgotten = chosen.outline.forgotten;
    result.programName = printable(nameOf(program));
    auto copy = duplicate(::bpf_program__fd(program));
    if (!copy)
        return failure(copy.error());
    result.program = std::move(*copy);
    const auto info = programInfo(result.program.get());
    if (!info)
        return failure(info.error());
    // libbpf keeps the licence's text to itself; what matters is how the kernel understood it.
    result.license = info->gpl_compatible ? "GPL" : "Proprietary";
    const auto index = takeMaps(object, chosen.maps, result.maps);
    if (!index)
        return failure(index.error());
    auto parameters = describeParameters(object);
    if (!parameters)
        return failure(parameters.error());
    result.parameters = std::move(*parameters);
    if (auto taken = takeInstructions(program, *index, result.instructions); !taken)
        return failure(taken.error());
    return result;
}

// All that can be refused without the kernel.
Result<ChosenProgram> prepare(const ElfObject& content, const ObjectRequest& request) {
    auto object = open(content, request);
    if (!object)
        return failure(object.error());
    const auto chosen = choose(object->get(), request.program);
    if (!chosen)
        return failure(chosen.error());
    if (auto set = setGlobals(object->get(), request.parameters); !set)
        return failure(set.error());
    if (auto checked = checkEntries(object->get(), request.parameters); !checked)
        return failure(checked.error());
    const auto both = needsBothDirections(::bpf_object__btf(object->get()), nameOf(*chosen));
    if (!both)
        return failure(both.error());
    auto maps = describeMaps(object->get());
    auto forgotten = takeEarlierMaps(object->get(), maps, request);
    if (!forgotten)
        return failure(forgotten.error());
    return ChosenProgram{std::move(*object),
                         *chosen,
                         std::move(maps),
                         {claimOf(*chosen).direction, *both, std::move(*forgotten)}};
}

Status checkSize(const ElfObject& content) {
    if (content.bytes.size() > kMaxObjectSize)
        return failure(ErrorCode::LimitExceeded, "the object has " + std::to_string(content.bytes.size()) +
                                                     " bytes; filterd takes " +
                                                     std::to_string(kMaxObjectSize));
    if (content.bytes.empty())
        return failure(ErrorCode::InvalidObject, "the object is empty");
    return {};
}

// As an ingress program it must return 0 or 1. What binds no direction and returns 2 or 3 is verified as an
// egress program only.
Result<FilterProgram> loadAs(const ElfObject& content, const ObjectRequest& request, bpf_attach_type either) {
    const auto prepared = prepare(content, request);
    if (!prepared)
        return failure(prepared.error());
    const auto* object = prepared->object.get();
    const FilterDirection claimed = prepared->outline.direction;
    const bool binds = claimed != FilterDirection::Either;
    if (auto loaded = loadChosen(prepared->object.get(), prepared->program, either); !loaded) {
        const bool retry = loaded.error().code == ErrorCode::VerifierRejected && !binds;
        if (retry && either == BPF_CGROUP_INET_INGRESS)
            return loadAs(content, request, BPF_CGROUP_INET_EGRESS);
        return failure(loaded.error());
    }
    if (auto filled = fillMaps(object, request.parameters); !filled)
        return failure(filled.error());
    const bool congestion = !binds && either == BPF_CGROUP_INET_EGRESS;
    return take(*prepared, congestion ? FilterDirection::Egress : claimed);
}

} // namespace

Result<FilterProgram> loadObject(const ElfObject& object, const ObjectRequest& request) {
    if (auto checked = checkSize(object); !checked)
        return failure(checked.error());
    return loadAs(object, request, BPF_CGROUP_INET_INGRESS);
}

Result<ObjectOutline> inspectObject(const ElfObject& object, const ObjectRequest& request) {
    if (auto checked = checkSize(object); !checked)
        return failure(checked.error());
    return prepare(object, request).map([](const ChosenProgram& chosen) { return chosen.outline; });
}

} // namespace filterd::bpf
