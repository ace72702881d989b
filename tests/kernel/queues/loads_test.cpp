// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Every BPF program of ours passes this kernel's verifier: as it stands in its object, as a filter, and in
// every kind of queue, attached and behind the guard's gate. What is refused is named, with the end of the
// verifier's log.

#include "base/files.hpp"
#include "base/log.hpp"
#include "core/packet_rules/rules_text.hpp"
#include "edge/bpf/bpf_kernel.hpp"
#include "edge/bpf/intake/filter_intake.hpp"
#include "edge/host/cgroup_tree.hpp"
#include "edge/pcap/pcap_expressions.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

namespace filterd::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPins = "/sys/fs/bpf/filterd";
constexpr std::size_t kLogSize = std::size_t{16} << 20;
constexpr std::size_t kLogTail = 2000;

struct CloseObject {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using ObjectPtr = std::unique_ptr<bpf_object, CloseObject>;

std::vector<fs::path> objectsIn(const char* directory) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(directory))
        if (entry.path().string().ends_with(".bpf.o"))
            paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
}

std::vector<fs::path> ourObjects() {
    auto paths = objectsIn(CATALOGUE);
    paths.insert(paths.end(), {GUARD_OBJECT, DROPS_OBJECT, TEMPLATE_OBJECT});
    return paths;
}

std::string filterOf(const fs::path& object) {
    const auto name = object.filename().string();
    return name.substr(0, name.find('.'));
}

// ---- objects --------------------------------------------------------------------------------------------

std::vector<std::string> programsIn(const fs::path& path) {
    const ObjectPtr object(bpf_object__open_file(path.c_str(), nullptr));
    std::vector<std::string> names;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object.get()) names.emplace_back(bpf_program__name(program));
    return names;
}

// Nothing if the kernel takes the program; the end of its log, if not.
std::string refusalOf(const fs::path& path, const std::string& wanted) {
    const ObjectPtr object(bpf_object__open_file(path.c_str(), nullptr));
    if (!object)
        return "cannot be opened";
    std::vector<char> log(kLogSize);
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object.get()) {
        const bool isWanted = bpf_program__name(program) == wanted;
        bpf_program__set_autoload(program, isWanted);
        if (isWanted)
            bpf_program__set_log_buf(program, log.data(), log.size());
    }
    bpf_map* map = nullptr; // those that are pinned by name have names that other objects have, too
    bpf_object__for_each_map(map, object.get()) bpf_map__set_pin_path(map, nullptr);
    const int error = bpf_object__load(object.get());
    if (error == 0)
        return {};
    const std::string text(log.data());
    return std::string(std::strerror(-error)) + "\n" +
           text.substr(text.size() - std::min(text.size(), kLogTail));
}

class Loads : public ::testing::TestWithParam<fs::path> {};

TEST_P(Loads, EveryProgramOfTheObject) {
    libbpf_set_print(nullptr);
    const auto programs = programsIn(GetParam());
    EXPECT_FALSE(programs.empty());
    for (const auto& program : programs)
        EXPECT_EQ(refusalOf(GetParam(), program), "")
            << GetParam().filename() << ": program '" << program << "' is refused";
}

std::string testName(const fs::path& object) {
    auto name = filterOf(object);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Objects, Loads, ::testing::ValuesIn(ourObjects()),
                         [](const auto& tested) { return testName(tested.param); });

// A program that no kernel takes: what is said of it.
TEST(LoadsRefused, IsNamedWithTheEndOfTheLog) {
    libbpf_set_print(nullptr);
    const auto refusal = refusalOf(REFUSED_OBJECT, programsIn(REFUSED_OBJECT).front());
    EXPECT_NE(refusal.find("Permission denied"), std::string::npos) << refusal;
    EXPECT_NE(refusal.find("processed "), std::string::npos) << refusal;
    EXPECT_LT(refusal.size(), kLogTail + 100);
}

// ---- filters and queues ---------------------------------------------------------------------------------

std::vector<std::byte> bytesOf(const std::string& text) {
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    return {begin, begin + text.size()};
}

using packet::PacketRule;
using packet::Verdict;

// Kinds of rules: ports, addresses of both families, bytes, sizes, and a list of some length.
std::vector<std::pair<std::string, std::vector<PacketRule>>> ruleLists() {
    std::vector<PacketRule> ports;
    for (int port = 1; port <= 128; ++port)
        ports.push_back({port % 2 == 0 ? Verdict::Allow : Verdict::Deny,
                         "tcp dst port " + std::to_string(port * 7) + " and src net 10." +
                             std::to_string(port) + ".0.0/16"});
    return {{"one", {{Verdict::Allow, "tcp port 443"}}},
            {"both-families",
             {{Verdict::Allow, "net 10.0.0.0/8 or net 2001:db8::/32"},
              {Verdict::Deny, "udp portrange 1024-65535 and not dst host ::1"},
              {Verdict::Allow, "icmp or icmp6"}}},
            {"bytes",
             {{Verdict::Deny, "ip[8] < 5 or ip6[7] < 5"},
              {Verdict::Allow, "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and greater 100"},
              {Verdict::Allow, "udp[8:4] = 0x01020304 and less 1000"}}},
            {"everything", {{Verdict::Allow, "ip or ip6"}}},
            {"long", std::move(ports)}};
}

class LoadsQueues : public ::testing::Test {
  protected:
    void SetUp() override {
        log::initialise(spdlog::level::off);
        std::string directory = fs::temp_directory_path() / "filterd-loads-XXXXXX";
        ASSERT_NE(::mkdtemp(directory.data()), nullptr);
        records_ = directory;
        kernel_ =
            std::make_unique<BpfKernel>(intake_, cgroups_, BpfDirectories{kPins, records_ + "/programs"});
        const auto adopted = kernel_->adopt();
        ASSERT_TRUE(adopted) << adopted.error().message;
        for (auto& gates : gates_) {
            gates = UniqueFd(::bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "test_gate", 4, 4, 2, nullptr));
            ASSERT_TRUE(gates) << std::strerror(errno);
        }
        loadAll();
    }
    void TearDown() override {
        kernel_.reset();
        fs::remove_all(kPins);
        fs::remove_all(records_);
    }

    void load(const std::string& name, FilterContent content) {
        const auto filter = FilterName::parse(name).value();
        const auto loaded = kernel_->loadFilter({filter, std::move(content), ""}, "1");
        ASSERT_TRUE(loaded) << "filter '" << name << "': " << loaded.error().message;
        const auto published = kernel_->publishFilter(loaded->instance);
        ASSERT_TRUE(published) << "filter '" << name << "': " << published.error().message;
        filters_.push_back(loaded->instance);
    }

    void loadAll() {
        for (const auto& object : objectsIn(CATALOGUE)) {
            const auto bytes = readFile(object, kLogSize);
            ASSERT_TRUE(bytes);
            load(filterOf(object), ElfObject{bytesOf(*bytes)});
        }
        for (const auto* name : {"drop", "pass", "mtu"})
            load("builtin-" + std::string(name), BuiltinFilter{name});
        for (auto& [name, rules] : ruleLists())
            load("rules-" + name, packet::PacketRules{std::move(rules), Verdict::Deny, Verdict::Deny});
    }

    // Attached to a unit, and as the gate runs it while the unit is held.
    void expectLoads(Queue queue, const std::string& name) {
        for (const auto direction : kDirections) {
            queue.direction = direction;
            const auto built = kernel_->buildQueue(queue);
            ASSERT_TRUE(built) << name << ", " << toString(direction) << ": " << built.error().message;
            EXPECT_EQ(built->mode, QueueMode::Fused) << name << ": " << built->modeReason;
            const auto interim = kernel_->interimProgram(queue, gates_[indexOf(direction)].get());
            EXPECT_TRUE(interim) << name << ", " << toString(direction)
                                 << ", interim: " << interim.error().message;
        }
    }

    static Queue queueOf(std::vector<FilterInstance> filters) {
        return {Direction::Ingress, std::move(filters), false, Fallback::Allow};
    }

    [[nodiscard]] BpfKernel& kernel() { return *kernel_; }

    std::vector<FilterInstance> filters_;

  private:
    std::string records_;
    PcapExpressions expressions_;
    FilterIntake intake_{expressions_};
    CgroupFs cgroups_ = CgroupFs::create("/sys/fs/cgroup").value();
    std::unique_ptr<BpfKernel> kernel_;
    std::array<UniqueFd, 2> gates_; // by Direction: an array of programs is of one attach type
};

TEST_F(LoadsQueues, OfEachFilterAlone) {
    for (const auto& filter : filters_)
        expectLoads(queueOf({filter}), "the queue of '" + filter.name.text() + "'");
}

TEST_F(LoadsQueues, OfAllFiltersTogether) {
    expectLoads(queueOf(filters_), "the queue of all filters");
    auto logging = queueOf(filters_);
    logging.logOnly = true;
    expectLoads(logging, "the queue that only logs");
    auto partly = queueOf(filters_);
    partly.logged = filters_.size() / 2;
    expectLoads(partly, "the queue half of which only logs");
}

TEST_F(LoadsQueues, ThatHold) {
    auto hold = queueOf({});
    hold.hold = true;
    for (const auto direction : kDirections) {
        hold.direction = direction;
        const auto built = kernel().buildQueue(hold);
        EXPECT_TRUE(built) << toString(direction) << ": " << built.error().message;
    }
}

} // namespace
} // namespace filterd::test
