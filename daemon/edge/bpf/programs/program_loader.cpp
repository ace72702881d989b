// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/programs/program_loader.hpp"

#include "edge/bpf/programs/verifier_log.hpp"
#include "kernel/bpf_calls.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include <cerrno>
#include <memory>

namespace filterd::bpf {

namespace {

constexpr std::size_t kLogSize = std::size_t{16} << 20;

struct BtfDeleter {
    void operator()(btf* types) const { ::btf__free(types); }
};

Result<std::uint32_t> added(int id) {
    if (id < 0)
        return failure(systemError("describe the functions of a queue", -id));
    return static_cast<std::uint32_t>(id);
}

// Asks again with a log, which costs too much to ask for at once.
Error explainRefusal(const ProgramText& text, bpf_prog_load_opts options) {
    const int refused = errno;
    const auto log = std::make_unique_for_overwrite<char[]>(kLogSize);
    log[0] = '\0';
    options.log_buf = log.get();
    options.log_size = kLogSize;
    options.log_level = 1;
    const UniqueFd unexpected(::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, text.name.c_str(),
                                              text.license.c_str(), text.program.instructions.data(),
                                              text.program.instructions.size(), &options));
    if (const auto end = endOfVerifierLog(log.get()); !end.empty())
        return {ErrorCode::VerifierRejected, "the verifier refused it:\n" + end};
    if (refused == EINVAL) // for example a program array that belongs to other programs
        return {ErrorCode::VerifierRejected, "the kernel refused it without a word: Invalid argument"};
    if (refused == E2BIG)
        return {ErrorCode::LimitExceeded, "too large for the kernel"};
    return systemError("load the program", refused);
}

} // namespace

Status ProgramLoader::prepareSignatures() {
    if (signatures_.fd)
        return {};
    const std::unique_ptr<btf, BtfDeleter> types(::btf__new_empty());
    if (!types)
        return failure(systemError("describe the functions of a queue", errno));
    const int number = ::btf__add_int(types.get(), "int", 4, BTF_INT_SIGNED);
    const int context = ::btf__add_struct(types.get(), "__sk_buff", 4);
    ::btf__add_field(types.get(), "len", number, 0, 0);
    const int pointer = ::btf__add_ptr(types.get(), context);
    const int ofFilter = ::btf__add_func_proto(types.get(), number);
    ::btf__add_func_param(types.get(), "skb", pointer);
    const int ofReporter = ::btf__add_func_proto(types.get(), number);
    ::btf__add_func_param(types.get(), "skb", pointer);
    ::btf__add_func_param(types.get(), "program", number);
    ::btf__add_func_param(types.get(), "flags", number);
    const auto filter = added(::btf__add_func(types.get(), "filter", BTF_FUNC_GLOBAL, ofFilter));
    const auto part = added(::btf__add_func(types.get(), "part", BTF_FUNC_STATIC, ofFilter));
    const auto reporter = added(::btf__add_func(types.get(), "report", BTF_FUNC_GLOBAL, ofReporter));
    for (const auto* function : {&filter, &part, &reporter})
        if (!*function)
            return failure(function->error());
    __u32 size = 0;
    const void* data = ::btf__raw_data(types.get(), &size);
    UniqueFd fd(::bpf_btf_load(data, size, nullptr));
    if (!fd)
        return failure(systemError("load the type information of queues", errno));
    signatures_ = {std::move(fd), {*filter, *part, *reporter}};
    return {};
}

Result<UniqueFd> ProgramLoader::load(const ProgramText& text) {
    if (auto prepared = prepareSignatures(); !prepared)
        return failure(prepared.error());
    std::vector<bpf_func_info> functions;
    for (const auto& function : text.program.functions)
        functions.push_back(
            {function.instruction, signatures_.byKind.at(static_cast<std::size_t>(function.kind))});

    bpf_prog_load_opts options{};
    options.sz = sizeof options;
    options.expected_attach_type = attachTypeOf(text.type);
    options.fd_array = text.maps.data();
    options.prog_btf_fd = static_cast<__u32>(signatures_.fd.get());
    options.func_info = functions.data();
    options.func_info_cnt = static_cast<__u32>(functions.size());
    options.func_info_rec_size = sizeof(bpf_func_info);
    UniqueFd program(::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, text.name.c_str(), text.license.c_str(),
                                     text.program.instructions.data(), text.program.instructions.size(),
                                     &options));
    if (!program)
        return failure(explainRefusal(text, options));
    return program;
}

} // namespace filterd::bpf
