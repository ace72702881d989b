// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/guard/guard_loader.hpp"

#include "bpf/guard.h"
#include "edge/guard/pins/guard_pins.hpp"
#include "kernel/bpf_calls.hpp"
#include "kernel/pins.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <memory>

namespace filterd {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLogTail = 1500;

// libbpf reports through one function for the whole process: ours, for as long as this lives.
class Messages {
  public:
    Messages() : previous_(libbpf_set_print(&collect)) { collected().clear(); }
    ~Messages() { libbpf_set_print(previous_); }
    Messages(const Messages&) = delete;
    Messages& operator=(const Messages&) = delete;

    [[nodiscard]] static const std::string& all() { return collected(); }
    [[nodiscard]] static std::string tail() {
        const auto& text = all();
        return text.size() > kLogTail ? "…" + text.substr(text.size() - kLogTail) : text;
    }

  private:
    static std::string& collected() {
        static std::string text;
        return text;
    }

    __attribute__((format(printf, 2, 0))) static int collect(libbpf_print_level level, const char* format,
                                                             va_list arguments) {
        char* line = nullptr;
        if (level == LIBBPF_DEBUG || ::vasprintf(&line, format, arguments) < 0)
            return 0;
        collected() += line;
        std::free(line);
        return 0;
    }

    libbpf_print_fn_t previous_;
};

struct CloseObject {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using ObjectPtr = std::unique_ptr<bpf_object, CloseObject>;

LoadFailure loadFailure(std::string program, const std::string& what, int errnum) {
    auto reason = systemError(what, errnum).message;
    if (const auto log = Messages::tail(); !log.empty())
        reason += "\n" + log;
    return {std::move(program), std::move(reason)};
}

const char* pinOf(const bpf_map* map) {
    const std::string_view name = bpf_map__name(map);
    for (const auto& known : kGuardMaps)
        if (name == known.name || (bpf_map__is_internal(map) && name.ends_with(known.name)))
            return known.pin;
    return nullptr;
}

int choosePins(bpf_object* object, const fs::path& directory) {
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object) {
        const char* pin = pinOf(map);
        if (pin == nullptr)
            continue;
        if (const int error = bpf_map__set_pin_path(map, (directory / pin).c_str()))
            return error;
    }
    return 0;
}

// libbpf names it in its first complaint only.
std::string refusedProgram() {
    const auto& log = Messages::all();
    constexpr std::string_view kMark = "prog '";
    const auto begin = log.find(kMark);
    if (begin == std::string::npos)
        return {};
    const auto name = begin + kMark.size();
    return log.substr(name, log.find('\'', name) - name);
}

Status updateGate(const fs::path& link, int program) {
    const auto pinned = bpf::openPin(link);
    if (!pinned)
        return failure(pinned.error());
    if (const auto updated = bpf::updateLink(pinned->get(), program); !updated)
        return failure(updated.error().context(link.string()));
    return {};
}

Status replaceTracepoint(const fs::path& link, int program) {
    const auto attached = attachTracepoint(program);
    if (!attached)
        return failure(attached.error().context(link.string()));
    return pinOver(attached->get(), link);
}

Status replaceSlot(const fs::path& directory, const char* array, int program) {
    const auto slots = bpf::openPin(directory / array);
    if (!slots)
        return failure(slots.error());
    return putGate(slots->get(), program);
}

Status replaceLink(const fs::path& directory, const GuardLink& link) {
    const auto program = bpf::openPin(directory / (std::string(link.program) + kNewSuffix));
    if (!program)
        return failure(program.error());
    if (!link.tracepoint) {
        const char* array =
            std::string_view(link.program) == "gate_ingress" ? "queues_ingress" : "queues_egress";
        if (auto replaced = replaceSlot(directory, array, program->get()); !replaced)
            return replaced;
    }
    const auto pin = directory / link.pin;
    if (!isPinned(pin))
        return {};
    return link.tracepoint ? replaceTracepoint(pin, program->get()) : updateGate(pin, program->get());
}

} // namespace

tl::expected<void, LoadFailure> loadGuard(std::span<const std::byte> object, const fs::path& directory,
                                          const std::string& suffix) {
    const Messages messages;
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "filterd_guard");
    const ObjectPtr opened(bpf_object__open_mem(object.data(), object.size(), &options));
    if (!opened)
        return tl::unexpected(loadFailure({}, "open the guard's object", errno));
    if (const int error = choosePins(opened.get(), directory))
        return tl::unexpected(loadFailure({}, "choose where the guard's maps are pinned", -error));
    if (const int error = bpf_object__load(opened.get()))
        return tl::unexpected(loadFailure(refusedProgram(), "load the guard", -error));
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, opened.get()) {
        const auto path = directory / (bpf_program__name(program) + suffix);
        ::unlink(path.c_str()); // of an attempt that was interrupted
        if (const int error = bpf_program__pin(program, path.c_str()))
            return tl::unexpected(loadFailure({}, "pin " + path.string(), -error));
    }
    return {};
}

Result<UniqueFd> attachTracepoint(int program) {
    UniqueFd link(bpf_raw_tracepoint_open(nullptr, program));
    if (!link)
        return failure(systemError("attach to the kernel's cgroup tracepoint", errno));
    return link;
}

Status putGate(int array, int program) {
    const std::uint32_t slot = GUARD_SLOT_GATE;
    if (auto put = bpf::updateElement(array, &slot, &program); !put)
        return failure(put.error().context("put the gate into its array"));
    return {};
}

Status pinOver(int object, const fs::path& path) {
    const fs::path stage = path.string() + kNewSuffix;
    ::unlink(stage.c_str()); // of an attempt that was interrupted
    if (auto pinned = bpf::pin(object, stage); !pinned)
        return pinned;
    return bpf::renamePin(stage, path);
}

Status replacePrograms(const fs::path& directory) {
    for (const auto& link : kGuardLinks)
        if (auto replaced = replaceLink(directory, link); !replaced)
            return replaced;
    for (const char* name : kGuardPrograms)
        if (auto renamed = bpf::renamePin(directory / (std::string(name) + kNewSuffix), directory / name);
            !renamed)
            return renamed;
    return {};
}

} // namespace filterd
