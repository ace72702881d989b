// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/intake/filter_intake.hpp"

#include "edge/bpf/intake/builtin_filter.hpp"
#include "edge/bpf/intake/libbpf_messages.hpp"
#include "edge/bpf/intake/object_filter.hpp"
#include "edge/bpf/intake/rules_filter.hpp"

namespace filterd {

namespace {

// Loads what a request asks, by its kind of content, with the filter's name before every error.
struct Load {
    using Answer = Result<FilterProgram>;
    const ObjectRequest& request;
    packet::ExpressionCompiler& expressions;

    Answer operator()(const ElfObject& object) const { return bpf::loadObject(object, request); }
    Answer operator()(const packet::PacketRules& rules) const {
        return bpf::loadPacketRules(rules, request, expressions);
    }
    Answer operator()(const BuiltinFilter& filter) const { return bpf::loadBuiltin(filter, request); }
};

struct Inspect {
    using Answer = Result<ObjectOutline>;
    const ObjectRequest& request;
    packet::ExpressionCompiler& expressions;

    Answer operator()(const ElfObject& object) const { return bpf::inspectObject(object, request); }
    Answer operator()(const packet::PacketRules& rules) const {
        return bpf::inspectRules(rules, request, expressions);
    }
    Answer operator()(const BuiltinFilter& filter) const { return bpf::inspectBuiltin(filter, request); }
};

template<typename Ask>
typename Ask::Answer answerOf(const Ask& ask) {
    auto answer = std::visit(ask, ask.request.content);
    if (!answer)
        return failure(answer.error().context("filter '" + ask.request.name.text() + "'"));
    return answer;
}

} // namespace

FilterIntake::FilterIntake(packet::ExpressionCompiler& expressions) : expressions_(expressions) {
    bpf::captureLibbpfMessages();
}

Result<FilterProgram> FilterIntake::load(const ObjectRequest& request) {
    return answerOf(Load{request, expressions_});
}

Result<ObjectOutline> FilterIntake::inspect(const ObjectRequest& request) {
    return answerOf(Inspect{request, expressions_});
}

} // namespace filterd
