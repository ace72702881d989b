// Rules as the kernel runs them, against what they mean: libpcap's own bpf_filter(), and a model for what it
// cannot judge. FILTERD_RULE_PACKETS packets (50,000), from the seed FILTERD_RULE_SEED (1).

#include "base/unique_fd.hpp"
#include "edge/pcap/pcap_expressions.hpp"
#include "packet_generator.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <numeric>

namespace filterd::test {

namespace {

using packet::RuleCounter;
using packet::RulesInput;
using packet::Verdict;

std::uint64_t fromEnvironment(const char* name, std::uint64_t otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr ? std::strtoull(value, nullptr, 10) : otherwise;
}

class LoadedRules {
  public:
    LoadedRules(const RulesInput& rules, bool small)
        : counters_(::bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "rules", 4, sizeof(RuleCounter),
                                     static_cast<__u32>(rules.rules.size() + packet::kFirstRule), nullptr)) {
        auto code = small ? compileSmall(rules) : compile(rules);
        if (!code) {
            error_ = code.error().message;
            return;
        }
        for (auto& insn : *code)
            if (insn.code == (BPF_LD | BPF_IMM | BPF_DW) && insn.src_reg == BPF_PSEUDO_MAP_FD)
                insn.imm = counters_.get();
        size_ = code->size();
        program_ = UniqueFd(
            ::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "rules", "GPL", code->data(), code->size(), nullptr));
        if (!program_)
            explain(*code);
    }

    const std::string& error() const { return error_; }
    std::size_t size() const { return size_; }

    Verdict run(const Packet& packet) {
        std::vector<std::uint8_t> frame(12, 0);
        frame.push_back(static_cast<std::uint8_t>(packet.etherType >> 8));
        frame.push_back(static_cast<std::uint8_t>(packet.etherType));
        frame.insert(frame.end(), packet.bytes.begin(), packet.bytes.end());
        bpf_test_run_opts options{};
        options.sz = sizeof options;
        options.data_in = frame.data();
        options.data_size_in = static_cast<__u32>(frame.size());
        options.repeat = 1;
        EXPECT_EQ(::bpf_prog_test_run_opts(program_.get(), &options), 0) << std::strerror(errno);
        return options.retval == 1 ? Verdict::Allow : Verdict::Deny;
    }

    RuleCounter counter(std::uint32_t index) const {
        std::vector<RuleCounter> perCpu(static_cast<std::size_t>(::libbpf_num_possible_cpus()));
        EXPECT_EQ(::bpf_map_lookup_elem(counters_.get(), &index, perCpu.data()), 0);
        return std::accumulate(perCpu.begin(), perCpu.end(), RuleCounter{},
                               [](RuleCounter sum, RuleCounter one) {
                                   return RuleCounter{sum.packets + one.packets, sum.bytes + one.bytes};
                               });
    }

  private:
    void explain(const std::vector<bpf_insn>& code) {
        std::vector<char> log(1 << 24);
        bpf_prog_load_opts options{};
        options.sz = sizeof options;
        options.log_buf = log.data();
        options.log_size = static_cast<__u32>(log.size());
        options.log_level = 1;
        const UniqueFd again(
            ::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "rules", "GPL", code.data(), code.size(), &options));
        error_ = log.data();
        error_ = error_.substr(error_.size() - std::min<std::size_t>(error_.size(), 2000));
    }

    UniqueFd counters_;
    UniqueFd program_;
    std::string error_;
    std::size_t size_ = 0;
};

RulesInput rulesFrom(const std::vector<std::pair<Verdict, std::string>>& texts, Verdict byDefault,
                     Verdict unparsable) {
    PcapExpressions expressions;
    RulesInput input{.rules = {}, .byDefault = byDefault, .unparsable = unparsable};
    for (const auto& [verdict, text] : texts) {
        auto program = expressions.compile(text, 1);
        EXPECT_TRUE(program) << text << ": " << program.error().message;
        input.rules.push_back({std::move(*program), verdict,
                               static_cast<std::uint32_t>(input.rules.size()) + packet::kFirstRule});
    }
    return input;
}

Verdict coin(PacketGenerator& random) { return random.oneIn(2) ? Verdict::Allow : Verdict::Deny; }

// Random rules; those that libpcap refuses because they match no packet at all are made anew.
std::vector<std::pair<Verdict, std::string>> randomRules(PacketGenerator& random) {
    PcapExpressions expressions;
    std::vector<std::pair<Verdict, std::string>> texts;
    const unsigned count = random.oneIn(8) ? 12 + random.below(30) : 1 + random.below(6);
    while (texts.size() < count) {
        std::string text = random.expression();
        const auto compiled = expressions.compile(text, 1);
        if (compiled)
            texts.emplace_back(coin(random), std::move(text));
        else
            EXPECT_NE(compiled.error().message.find("rejects all packets"), std::string::npos)
                << text << ": " << compiled.error().message;
    }
    return texts;
}

struct Tally {
    std::uint64_t packets = 0;
    std::uint64_t hidden = 0;
    std::uint64_t unparsable = 0;
    std::uint64_t matched = 0;
    std::uint64_t sets = 0;
    std::size_t largest = 0;
};

std::string describe(const std::vector<std::pair<Verdict, std::string>>& texts) {
    std::string all;
    for (const auto& [verdict, text] : texts)
        all += std::string(toString(verdict)) + " " + text + "\n";
    return all;
}

void compare(const std::vector<std::pair<Verdict, std::string>>& texts, PacketGenerator& random,
             unsigned packets, bool small, Tally& tally) {
    const RulesInput rules = rulesFrom(texts, coin(random), coin(random));
    LoadedRules loaded(rules, small);
    ASSERT_EQ(loaded.error(), "") << describe(texts);
    std::vector<RuleCounter> expected(rules.rules.size() + packet::kFirstRule);
    for (unsigned i = 0; i < packets; ++i) {
        const Packet packet = random.next();
        const Decided decided = judge(rules, packet);
        ASSERT_EQ(loaded.run(packet), decided.verdict)
            << "decided by " << decided.by << (decided.hidden ? ", hidden" : "") << "\n"
            << hex(packet) << "\n"
            << describe(texts);
        ++expected[decided.by].packets;
        expected[decided.by].bytes += packet.bytes.size();
        tally.hidden += decided.hidden ? 1 : 0;
        tally.unparsable += decided.by == packet::kByUnparsable ? 1 : 0;
        tally.matched += decided.by >= packet::kFirstRule ? 1 : 0;
    }
    tally.packets += packets;
    tally.largest = std::max(tally.largest, loaded.size());
    ++tally.sets;
    for (std::uint32_t by = 0; by < expected.size(); ++by)
        ASSERT_EQ(loaded.counter(by), expected[by]) << "decided by " << by << "\n" << describe(texts);
}

} // namespace

void PrintTo(const RuleCounter& counter, std::ostream* out) {
    *out << counter.packets << " packets, " << counter.bytes << " bytes";
}

TEST(Rules, AgreeWithLibpcapOnGeneratedPackets) {
    const std::uint64_t packets = fromEnvironment("FILTERD_RULE_PACKETS", 50'000);
    PacketGenerator random(fromEnvironment("FILTERD_RULE_SEED", 1));
    Tally tally;
    while (tally.packets < packets && !HasFatalFailure())
        compare(randomRules(random), random, 500, random.oneIn(4), tally);
    std::cout << tally.packets << " packets through " << tally.sets << " sets of rules: " << tally.matched
              << " matched, " << tally.hidden << " partly hidden, " << tally.unparsable
              << " unparsable; the largest program has " << tally.largest << " instructions\n";
    EXPECT_GT(tally.matched, packets / 10);
    EXPECT_GT(tally.unparsable, packets / 100);
}

} // namespace filterd::test
