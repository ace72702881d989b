// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Packet rules as a program in the kernel.

#include "base/unique_fd.hpp"
#include "tests/kernel/packets/packet_model.hpp"

#include <string>
#include <utility>
#include <vector>

namespace filterd::test {

using RuleTexts = std::vector<std::pair<packet::Verdict, std::string>>;

// Expressions of libpcap's language, each with a counter of its own.
[[nodiscard]] packet::RulesInput rulesFrom(const RuleTexts& texts, packet::Verdict byDefault,
                                           packet::Verdict unparsable);
[[nodiscard]] std::string describe(const RuleTexts& texts);

class LoadedRules {
  public:
    // `small`: only the part that reaches no bytes directly.
    LoadedRules(const packet::RulesInput& rules, bool small);

    // Returns the error of the compiler or the verifier; empty if the program is loaded.
    [[nodiscard]] const std::string& error() const { return error_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    // Returns how much the verifier went through: its time, whatever machine it runs on.
    [[nodiscard]] std::size_t verified() const { return verified_; }

    [[nodiscard]] packet::Verdict run(const Packet& packet);
    // Nanoseconds a packet, in a row of `repeat`.
    [[nodiscard]] std::uint32_t cost(const Packet& packet, int repeat);
    [[nodiscard]] packet::RuleCounter counter(std::uint32_t index) const;

  private:
    void load(const std::vector<bpf_insn>& code);
    void explain(const std::vector<bpf_insn>& code);
    std::uint32_t runTest(const Packet& packet, int repeat, std::uint32_t& nanoseconds);

    UniqueFd counters_;
    UniqueFd program_;
    std::string error_;
    std::size_t size_ = 0;
    std::size_t verified_ = 0;
};

} // namespace filterd::test
