// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Objects as people write them, loaded by the real kernel, judged by what their filters do to packets.

#include "queue_bed.hpp"

#include <bpf/bpf.h>

#include <filesystem>
#include <fstream>

namespace filterd::test {
namespace {

namespace fs = std::filesystem;

// ---- what can be a filter -------------------------------------------------------------------------------

constexpr const char* kAnyReason = nullptr; // or none, as the kernel is

struct Object {
    const char* name;
    const char* program;
    QueueMode mode = QueueMode::Fused;
    const char* reason = ""; // part of the mode's reason
    bool egressOnly = false;
};

std::ostream& operator<<(std::ostream& out, const Object& object) { return out << object.name; }

class FilterCorpus : public KernelTest, public ::testing::WithParamInterface<Object> {};

TEST_P(FilterCorpus, FiltersInAQueueBothWays) {
    const auto [object, program, mode, reason, egressOnly] = GetParam();
    const Unit unit("unit.service");
    const auto filter = load("f", program, object);
    const auto last = load("last", "not_9998");
    for (const auto direction : kDirections) {
        if (egressOnly && direction == Direction::Ingress)
            continue;
        const auto queue = build(direction, {filter, last});
        const auto built = kernel().buildQueue(queue);
        EXPECT_EQ(built->mode, mode) << built->modeReason;
        if (reason != kAnyReason) {
            EXPECT_NE(built->modeReason.find(reason), std::string::npos) << built->modeReason;
            EXPECT_EQ(built->modeReason.empty(), *reason == '\0') << built->modeReason;
        }
        put(unit, queue);
        const auto passes = [&](int port) {
            return direction == Direction::Egress ? unit.sends(port) : unit.receives(port);
        };
        EXPECT_TRUE(passes(kOpenPort)) << toString(direction);
        EXPECT_FALSE(passes(kDroppedPort)) << toString(direction);
        EXPECT_FALSE(passes(9998)) << "the filter behind it does not run, " << toString(direction);
    }
}

TEST_P(FilterCorpus, GoesOnInAQueueBuiltAfterARestart) {
    const auto [object, program, mode, reason, egressOnly] = GetParam();
    const Unit unit("unit.service");
    const auto filter = load("f", program, object);
    restart();
    const auto queue = build(Direction::Egress, {filter});
    EXPECT_EQ(kernel().buildQueue(queue)->mode, mode);
    put(unit, queue);
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_FALSE(unit.sends(kDroppedPort));
}

INSTANTIATE_TEST_SUITE_P(
    Objects, FilterCorpus,
    ::testing::Values(Object{"legacy_section", "", QueueMode::Fused, "", true}, Object{"own_section", ""},
                      Object{"no_section", ""}, Object{"global_data", ""}, Object{"ring_buffer", ""},
                      Object{"core", ""},
                      Object{"tail_call_egress", "filter", QueueMode::Fused, kAnyReason, true},
                      Object{"functions", ""}, Object{"map_in_map", ""}, Object{"pinned_map", ""},
                      Object{"printk", ""}, Object{"socket_storage", ""}, Object{"socket", ""},
                      Object{"sections_of_data", ""},
                      Object{"storage", "", QueueMode::Links, "cgroup local storage"},
                      Object{"other_license", "", QueueMode::Fused, "licence"}),
    [](const auto& test) { return std::string(test.param.name); });

// ---- what cannot ----------------------------------------------------------------------------------------

struct Refusal {
    const char* object;
    const char* program;
    ErrorCode code;
    const char* text; // in the message
};

std::ostream& operator<<(std::ostream& out, const Refusal& refusal) { return out << refusal.object; }

class FilterRefusal : public KernelTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(FilterRefusal, NamesTheFilterAndTheFaultAndLeavesNothing) {
    const auto refused = tryLoad("victim", GetParam().program, GetParam().object);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, GetParam().code) << refused.error().message;
    EXPECT_NE(refused.error().message.find("'victim'"), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find(GetParam().text), std::string::npos) << refused.error().message;
    EXPECT_TRUE(fs::is_empty(std::string(kPins) + "/filters"));
    EXPECT_TRUE(fs::is_empty(std::string(kPins) + "/maps"));
}

INSTANTIATE_TEST_SUITE_P(
    Objects, FilterRefusal,
    ::testing::Values(Refusal{"wrong_type", "", ErrorCode::WrongProgramType, "xdp"},
                      Refusal{"legacy_maps", "", ErrorCode::InvalidObject, "maps"},
                      Refusal{"refused", "", ErrorCode::VerifierRejected, "invalid access to packet"},
                      // libbpf's decisive words, and the program that they are about.
                      Refusal{"no_kfunc", "", ErrorCode::InvalidObject, "no_such_kfunc_anywhere"},
                      Refusal{"bad_map", "", ErrorCode::InvalidObject, "map 'prefixes': failed to create"},
                      Refusal{"refused_target", "filter", ErrorCode::VerifierRejected,
                              "program 'target': the verifier refused it"},
                      Refusal{"queue_filters", "", ErrorCode::NoSuchProgram, "not_9999"},
                      Refusal{"queue_filters", "none_such", ErrorCode::NoSuchProgram, "none_such"}),
    [](const auto& test) {
        return std::string(test.param.object) + (*test.param.program == '\0' ? "" : "_named");
    });

class Filters : public KernelTest {
  protected:
    Result<FilterFacts> loadBytes(std::vector<std::byte> bytes) {
        return kernel().loadFilter({filterName("f"), ElfObject{std::move(bytes)}, ""}, "1");
    }
    ErrorCode codeOf(std::vector<std::byte> bytes) {
        const auto loaded = loadBytes(std::move(bytes));
        EXPECT_FALSE(loaded);
        return loaded ? ErrorCode::Internal : loaded.error().code;
    }
};

TEST_F(Filters, RefusesWhatIsNoObject) {
    EXPECT_EQ(codeOf({}), ErrorCode::InvalidObject);
    EXPECT_EQ(codeOf(std::vector<std::byte>(4096, std::byte{'x'})), ErrorCode::InvalidObject);
    auto object = objectBytes("functions");
    for (const std::size_t size : {std::size_t{4}, std::size_t{64}, object.size() / 2, object.size() - 1}) {
        auto cut = object;
        cut.resize(size);
        EXPECT_EQ(codeOf(std::move(cut)), ErrorCode::InvalidObject) << size;
    }
}

TEST_F(Filters, RefusesMoreThan16MiBAndTakesThatMuch) {
    auto object = objectBytes("own_section");
    object.resize(kMaxObjectSize);
    EXPECT_TRUE(loadBytes(object)) << "what stands behind the sections does not matter";
    object.push_back({});
    const auto refused = kernel().loadFilter({filterName("other"), ElfObject{std::move(object)}, ""}, "1");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
}

// A damaged object is refused, or is a filter; whoever loads it goes on.
TEST_F(Filters, NoWrongByteEndsWhoLoadsIt) {
    for (const char* name : {"global_data", "map_in_map", "functions", "core"}) {
        const auto object = objectBytes(name);
        int loaded = 0;
        for (std::size_t i = 0; i < 400; ++i) {
            auto damaged = object;
            auto& byte = damaged[(i * 7919) % damaged.size()];
            byte = i % 2 == 0 ? byte ^ std::byte{0x40} : std::byte(i);
            ObjectRequest request{filterName("f"), ElfObject{std::move(damaged)}, ""};
            loaded += PlainIntake().load(request) ? 1 : 0;
        }
        EXPECT_GT(loaded, 0) << name;
        EXPECT_LT(loaded, 400) << name;
    }
}

TEST_F(Filters, SaysThatTheBpffsIsMissing) {
    PlainIntake intake;
    BpfKernel elsewhere(intake, cgroups(), {fs::path(records()) / "pins", fs::path(records()) / "other"});
    const auto loaded =
        elsewhere.loadFilter({filterName("f"), ElfObject{objectBytes("own_section")}, ""}, "1");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::BpffsMissing);
    EXPECT_NE(loaded.error().message.find("mount -t bpf"), std::string::npos) << loaded.error().message;
}

TEST_F(Filters, ADirectionBindsAFilter) {
    const auto egress = load("out", "congestion");
    const auto ingress = load("in", "ingress_only");
    for (const auto& [direction, filter] :
         {std::pair(Direction::Ingress, egress), std::pair(Direction::Egress, ingress)}) {
        const auto refused = kernel().buildQueue({direction, {filter}, false, Fallback::Allow});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::WrongDirection);
        EXPECT_NE(refused.error().message.find(filter.name.text()), std::string::npos);
    }
}

TEST_F(Filters, AreOneInstancePerNameAndContent) {
    const auto first = tryLoad("f", "pass", "queue_filters", "1");
    const auto second = tryLoad("f", "pass", "queue_filters", "1");
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->programId, second->programId);
}

// Newer kernels tie a program array to the direction and the storage of its first user, which was the filter
// alone: then a queue counts nothing, or is no program.
TEST_F(Filters, ATailCallOfEitherDirectionIsObeyedHoweverTheKernelTakesIt) {
    const Unit unit("unit.service");
    const auto filter = load("f", "filter", "tail_call");
    const auto other = load("other", "not_9998");
    for (const auto direction : kDirections) {
        const auto queue = build(direction, {other, filter});
        const auto built = kernel().buildQueue(queue);
        EXPECT_TRUE(built->mode == QueueMode::Fused || !built->modeReason.empty());
        EXPECT_TRUE(direction == Direction::Egress || built->mode == QueueMode::Fused) << built->modeReason;
        put(unit, queue);
    }
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_TRUE(unit.receives(kOpenPort));
    for (const int port : {kDroppedPort, 9998}) {
        EXPECT_FALSE(unit.sends(port));
        EXPECT_FALSE(unit.receives(port));
    }
}

TEST_F(Filters, ThePinIsTheProgramAndWorksAlone) {
    const auto loaded = tryLoad("f", "not_9999");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->pinPath, std::string(kPins) + "/filters/f");
    const UniqueFd program(::bpf_obj_get(loaded->pinPath.c_str()));
    ASSERT_TRUE(program);
    EXPECT_EQ(verdictOf(program.get(), kDroppedPort), 0U);
    EXPECT_EQ(verdictOf(program.get(), kOpenPort), 1U);
    EXPECT_TRUE(kernel().unloadFilter(loaded->instance));
    EXPECT_FALSE(fs::exists(loaded->pinPath));
    EXPECT_TRUE(fs::is_empty(std::string(kPins) + "/maps"));
}

TEST_F(Filters, AMapPinnedByNameIsInTheFiltersOwnDirectoryAndOutlivesAReplacement) {
    const Unit unit("unit.service");
    const auto first = load("f", "", "pinned_map", "1");
    const std::string pin = std::string(kPins) + "/maps/f/shared_hits";
    ASSERT_TRUE(fs::exists(pin));
    use(unit, Direction::Egress, {first});
    EXPECT_TRUE(unit.sends(kOpenPort));
    const auto second = load("f", "", "pinned_map", "2");
    use(unit, Direction::Egress, {second});
    EXPECT_TRUE(unit.sends(kOpenPort));
    const UniqueFd map(::bpf_obj_get(pin.c_str()));
    const std::uint32_t zero = 0;
    std::uint64_t hits = 0;
    ASSERT_EQ(::bpf_map_lookup_elem(map.get(), &zero, &hits), 0);
    EXPECT_EQ(hits, 2U);
}

TEST_F(Filters, ThePinsAreForRootOnly) {
    load("f", "pass");
    const auto mine = fs::perms::owner_all;
    for (const char* directory : {"", "/filters", "/maps", "/queues", "/links"})
        EXPECT_EQ(fs::status(std::string(kPins) + directory).permissions(), mine) << directory;
}

} // namespace
} // namespace filterd::test
