// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/rules_program.hpp"

#include "core/packet_rules/classifier.hpp"
#include "core/packet_rules/emit.hpp"

#include <string>

namespace filterd::packet {

namespace {

class Compiler {
  public:
    explicit Compiler(const RulesInput& input) : input_(input) {}

    Status read();
    Result<std::vector<bpf_insn>> write(bool direct);

  private:
    void findProtocols(NodeId rule);
    Status writeBody(const PacketClass& packets);
    void writeOutcomes();
    void writeEnd(Label end);
    Verdict verdictOf(std::uint32_t outcome) const;
    std::uint32_t counterOf(std::uint32_t outcome) const;

    const RulesInput& input_;
    Expressions expressions_;
    Decisions decisions_;
    std::vector<NodeId> rules_;
    std::set<std::uint32_t> protocols_;
    Assembler code_;
    std::vector<Label> outcomes_;
};

Status Compiler::read() {
    if (input_.rules.size() > kMaxPacketRules)
        return failure(ErrorCode::LimitExceeded, std::to_string(input_.rules.size()) + " rules; at most " +
                                                     std::to_string(kMaxPacketRules) + " make a filter");
    for (std::size_t i = 0; i < input_.rules.size(); ++i) {
        const auto node = readCbpf(input_.rules[i].program, expressions_, decisions_);
        if (!node)
            return failure(
                node.error().context("rule " + std::to_string(i + 1)).about(std::to_string(i + 1)));
        rules_.push_back(*node);
        findProtocols(*node);
    }
    return {};
}

void Compiler::findProtocols(NodeId rule) {
    constexpr std::uint32_t kMaxProtocol = 255;
    for (const NodeId node : nodesOf(rule, decisions_)) {
        const Decision& decision = decisions_[node];
        const bool asksProtocol = decision.subject == protocolOf(expressions_, Version::V4) ||
                                  decision.subject == protocolOf(expressions_, Version::V6);
        if (asksProtocol && decision.range.isSingle() && decision.range.low <= kMaxProtocol &&
            protocols_.size() < std::size(kTransports) * 2)
            protocols_.insert(decision.range.low);
    }
}

Result<std::vector<bpf_insn>> Compiler::write(bool direct) {
    code_ = {};
    outcomes_.clear();
    for (std::size_t i = 0; i < kFirstRule + rules_.size(); ++i)
        outcomes_.push_back(code_.label());
    Classifier classifier(code_, expressions_,
                          [&](const PacketClass& packets) { return writeBody(packets); });
    if (auto written = classifier.write(protocols_, direct); !written)
        return failure(written.error());
    writeOutcomes();
    return code_.finish();
}

Status Compiler::writeBody(const PacketClass& packets) {
    if (code_.isTooLong()) // finish() says so; what would follow takes seconds where rules are many
        return {};
    std::vector<CombinedRule> combined;
    for (std::size_t i = 0; i < rules_.size(); ++i)
        combined.push_back(
            {specialise(rules_[i], packets.view, expressions_, decisions_), input_.rules[i].verdict});
    const NodeId root = simplify(combine(combined, input_.byDefault, decisions_), decisions_);
    return Emitter(code_, expressions_, decisions_, outcomes_, packets.reach).write(root);
}

Verdict Compiler::verdictOf(std::uint32_t outcome) const {
    if (outcome == kByDefault)
        return input_.byDefault;
    return outcome == kByUnparsable ? input_.unparsable : input_.rules[outcome - kFirstRule].verdict;
}

std::uint32_t Compiler::counterOf(std::uint32_t outcome) const {
    return outcome < kFirstRule ? outcome : input_.rules[outcome - kFirstRule].counter;
}

// Only those that some packet can have: the verifier refuses what cannot be reached.
void Compiler::writeOutcomes() {
    const Label end = code_.label();
    for (std::uint32_t outcome = 0; outcome < outcomes_.size(); ++outcome) {
        if (!code_.isTarget(outcomes_[outcome]))
            continue;
        code_.place(outcomes_[outcome]);
        code_.set(kVerdict, verdictOf(outcome) == Verdict::Allow ? 1 : 0);
        code_.set(BPF_REG_1, counterOf(outcome));
        code_.jump(end);
    }
    writeEnd(end);
}

// Counts without atomics, as queues do.
void Compiler::writeEnd(Label end) {
    const Label leave = code_.label();
    const auto count = [&](std::int32_t offset, const auto& addend) {
        code_.load(8, BPF_REG_1, BPF_REG_0, offset);
        addend();
        code_.store(8, BPF_REG_0, offset, BPF_REG_1);
    };
    code_.place(end);
    code_.store(4, BPF_REG_10, kCounterKey, BPF_REG_1);
    code_.loadMap(BPF_REG_1, 0);
    code_.move(BPF_REG_2, BPF_REG_10);
    code_.add64(BPF_REG_2, kCounterKey);
    code_.callHelper(BPF_FUNC_map_lookup_elem);
    code_.jumpIfNull(BPF_REG_0, leave);
    code_.load(4, BPF_REG_2, kContext, offsetof(__sk_buff, len));
    count(offsetof(RuleCounter, packets), [&] { code_.add64(BPF_REG_1, 1); });
    count(offsetof(RuleCounter, bytes), [&] { code_.addWith64(BPF_REG_1, BPF_REG_2); });
    code_.place(leave);
    code_.move(BPF_REG_0, kVerdict);
    code_.exit();
}

} // namespace

Result<std::vector<bpf_insn>> compile(const RulesInput& input) {
    Compiler compiler(input);
    if (auto read = compiler.read(); !read)
        return failure(read.error());
    auto program = compiler.write(true);
    if (!program && program.error().code == ErrorCode::LimitExceeded)
        return compiler.write(false);
    return program;
}

Result<std::vector<bpf_insn>> compileSmall(const RulesInput& input) {
    Compiler compiler(input);
    if (auto read = compiler.read(); !read)
        return failure(read.error());
    return compiler.write(false);
}

} // namespace filterd::packet
