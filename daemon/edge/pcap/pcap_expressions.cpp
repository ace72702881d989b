// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/pcap/pcap_expressions.hpp"

#include "core/packet_rules/expression_words.hpp"
#include "core/packet_rules/possible.hpp"

#include <algorithm>
#include <cctype>
#include <memory>
#include <pcap/pcap.h>
#include <span>
#include <unistd.h>

namespace filterd {

namespace {

constexpr int kWholePacket = 65535;

struct PcapCloser {
    void operator()(pcap_t* pcap) const { ::pcap_close(pcap); }
};

class CompiledCode {
  public:
    CompiledCode() = default;
    CompiledCode(const CompiledCode&) = delete;
    CompiledCode& operator=(const CompiledCode&) = delete;
    ~CompiledCode() { ::pcap_freecode(&code_); }
    bpf_program* get() { return &code_; }

    packet::CbpfProgram copy() const {
        packet::CbpfProgram result;
        for (unsigned i = 0; i < code_.bf_len; ++i) {
            const auto& insn = code_.bf_insns[i];
            result.push_back({static_cast<__u16>(insn.code), insn.jt, insn.jf, insn.k});
        }
        return result;
    }

  private:
    bpf_program code_{};
};

constexpr int kUnoptimised = 0; // libpcap's optimiser changes what some expressions mean

// With libpcap's own words where it fails.
Result<packet::CbpfProgram> compileOnce(const std::string& expression) {
    const std::unique_ptr<pcap_t, PcapCloser> pcap(::pcap_open_dead(DLT_RAW, kWholePacket));
    if (!pcap)
        return failure(ErrorCode::Internal, "libpcap has no memory");
    CompiledCode code;
    if (::pcap_compile(pcap.get(), code.get(), expression.c_str(), kUnoptimised, PCAP_NETMASK_UNKNOWN) < 0)
        return failure(ErrorCode::InvalidArgument, ::pcap_geterr(pcap.get()));
    return code.copy();
}

// Tells whether a word is a constant of libpcap's; which ones a version has, it knows best. No name is looked
// up where a number is expected.
bool isConstant(std::string_view word) {
    const bool looksLike = word.starts_with("tcp") || word.starts_with("icmp");
    return looksLike && compileOnce("len = " + std::string(word)).has_value();
}

bool isSyntaxError(const std::string& message) { return message.find("syntax error") != std::string::npos; }

std::string at(const Word& word) { return "column " + std::to_string(word.column) + ": "; }

// Returns what closes the parentheses that the words open.
std::string closing(std::span<const Word> words) {
    const auto count = [&](std::string_view text) {
        return std::count_if(words.begin(), words.end(), [&](const Word& word) { return word.text == text; });
    };
    return std::string(static_cast<std::size_t>(std::max(count("(") - count(")"), std::ptrdiff_t{0})), ')');
}

// The first word behind the longest beginning that is an expression of its own. Of a long expression not
// every beginning is tried: libpcap takes its time.
std::optional<Word> findOffender(std::string_view expression, std::span<const Word> words) {
    const std::size_t attempts = 10'000 / (expression.size() + 50);
    const std::size_t fewest = words.size() > attempts ? words.size() - attempts : 0;
    for (std::size_t count = words.size(); count-- > fewest + 1;) {
        const Word& last = words[count - 1];
        const std::string beginning(expression.data(), last.text.data() + last.text.size());
        const auto compiled = compileOnce(beginning + closing(words.first(count)));
        if (compiled || !isSyntaxError(compiled.error().message))
            return words[count];
    }
    return fewest == 0 && !words.empty() ? std::optional(words.front()) : std::nullopt;
}

std::string lowered(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

// The longest word that a message repeats, be it in capitals, as MPLS.
std::optional<Word> findNamed(const std::string& message, const std::vector<Word>& words) {
    const std::string told = lowered(message);
    std::optional<Word> named;
    for (const auto& word : words)
        if (told.find(lowered(word.text)) != std::string::npos &&
            (!named || word.text.size() > named->text.size()))
            named = word;
    return named;
}

// Names of ports and protocols stand in files that a small system may lack.
std::string missingNames(const std::string& message) {
    if (message.find("unknown") == std::string::npos)
        return "";
    for (const auto& [kind, file] :
         {std::pair("port", "/etc/services"), std::pair("proto", "/etc/protocols")})
        if (message.find(kind) != std::string::npos && ::access(file, R_OK) < 0)
            return std::string("; ") + file +
                   ", which tells the names, is missing: install netbase, or write the number";
    return "";
}

// In libpcap's words these packets are Raw IP; who writes rules has not asked for that.
std::string aboutLink(const std::string& message) {
    const bool isAboutLink = message.find("Raw IP") != std::string::npos ||
                             message.find("supported only on") != std::string::npos ||
                             message.find("broadcast link") != std::string::npos;
    return isAboutLink ? "; packets in a queue begin with the IP header" : "";
}

Error explain(const std::string& expression, std::size_t first, const std::vector<Word>& words,
              const Error& error) {
    if (isSyntaxError(error.message)) {
        if (const auto word = findUnbalanced(words))
            return error.context(at(*word) + "'" + std::string(word->text) + "' has no other half");
        if (const auto word = findOffender(expression, words))
            return {error.code,
                    at(*word) + "syntax error at '" + std::string(word->text) + "', see pcap-filter(7)"};
    } else if (const auto word = findNamed(error.message, words))
        return {error.code,
                at(*word) + error.message + missingNames(error.message) + aboutLink(error.message)};
    return {error.code, at({expression, first}) + error.message + aboutLink(error.message)};
}

} // namespace

Result<packet::CbpfProgram> PcapExpressions::compile(const std::string& expression, std::size_t first) {
    const auto words = wordsOf(expression, first);
    if (const auto name = findHostName(words, isConstant))
        return failure(ErrorCode::InvalidArgument,
                       at(*name) + "'" + std::string(name->text) +
                           "' is no address and no word of pcap-filter(7); names of hosts are not looked up");
    if (const auto word = findOneOf(words, {"inbound", "outbound", "ifindex"}))
        return failure(ErrorCode::Unsupported, at(*word) + "'" + std::string(word->text) +
                                                   "' is what only a capture device knows; leave the "
                                                   "direction to the queue");
    if (const auto word = findOneOf(words, {"protochain"}))
        return failure(ErrorCode::Unsupported,
                       at(*word) + "protochain needs a loop; name the headers one by one");
    auto program = compileOnce(expression);
    if (!program)
        return failure(explain(expression, first, words, program.error()));
    if (!packet::canMatch(*program))
        return failure(ErrorCode::InvalidArgument,
                       at({expression, first}) + "expression rejects all packets: no IP packet matches it");
    return program;
}

} // namespace filterd
