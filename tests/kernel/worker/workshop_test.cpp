// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/event_loop.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "edge/bpf/intake/filter_intake.hpp"
#include "edge/host/crash_files.hpp"
#include "edge/pcap/pcap_expressions.hpp"
#include "edge/worker/job_text.hpp"
#include "edge/worker/workshop.hpp"
#include "kernel/bpf_calls.hpp"
#include "tests/shared/temp_directory.hpp"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <stdexcept>

namespace filterd::worker {
namespace {

namespace fs = std::filesystem;

class Workshops : public ::testing::Test {
  protected:
    void SetUp() override {
        log::initialise(spdlog::level::off);
        behave("");
        ASSERT_TRUE(counters_);
    }
    void TearDown() override { ::unsetenv("FILTERD_TEST_WORKER"); }

    static void behave(const char* how) { ::setenv("FILTERD_TEST_WORKER", how, 1); }

    static ObjectRequest request(const std::string& name, FilterContent content) {
        return {FilterName::parse(name).value(), std::move(content), ""};
    }
    static ObjectRequest rules(const std::string& name, int port) {
        return request(name,
                       packet::PacketRules{{{packet::Verdict::Allow, "tcp dst port " + std::to_string(port)}},
                                           packet::Verdict::Deny,
                                           packet::Verdict::Deny});
    }
    static ObjectRequest object(const std::string& name) {
        const auto bytes = readFile(fs::path(CATALOGUE) / (name + ".bpf.o"), kMaxObjectSize).value();
        const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
        return request(name, ElfObject{{data, data + bytes.size()}});
    }

    void runUntil(const std::function<bool()>& isDone) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!isDone() && std::chrono::steady_clock::now() < end)
            ASSERT_GE(::sd_event_run(loop_.get(), 100'000), 0);
        ASSERT_TRUE(isDone()) << "it takes too long";
    }

    // As a method call: `attempts` counts how often it was tried.
    void call(const Asker& asker, const ObjectRequest& wanted, int& attempts,
              const std::function<void(const Result<bpf::MadeFilter>&)>& done) {
        const auto made = std::make_shared<Result<bpf::MadeFilter>>(bpf::unfinished());
        workshop_.run(
            asker,
            [=, this, &attempts] {
                ++attempts;
                *made = workshop_.makeFilter(wanted, counters_.get());
            },
            [=] { done(*made); });
    }

    EventLoop loop_ = EventLoop::create().value();
    PcapExpressions expressions_;
    FilterIntake intake_{expressions_};
    bpf::DirectWorks direct_{intake_};
    UniqueFd counters_{::bpf_map_create(BPF_MAP_TYPE_CGROUP_STORAGE, "counters", 16, 65 * 16, 0, nullptr)};
    int progress_ = 0;
    TempDirectory temp_;
    CrashFiles crashes_{temp_.path()};
    CostFile costs_{temp_.path() / "costs"};
    Workshop workshop_{
        loop_,
        WORKER,
        intake_,
        crashes_,
        costs_,
        [this] { ++progress_; },
        {.perJob = std::chrono::seconds(2), .perWait = std::chrono::seconds(2), .processes = 1}};
};

void expectSame(const bpf::MadeFilter& one, const bpf::MadeFilter& other) {
    const auto bytes = [](const FilterProgram& program) {
        const auto* data = reinterpret_cast<const char*>(program.instructions.data());
        return std::string(data, program.instructions.size() * sizeof(bpf_insn));
    };
    EXPECT_EQ(bytes(one.program), bytes(other.program));
    EXPECT_EQ(one.program.programName, other.program.programName);
    EXPECT_EQ(one.program.license, other.program.license);
    EXPECT_EQ(one.program.direction, other.program.direction);
    EXPECT_EQ(one.program.parameters, other.program.parameters);
    EXPECT_EQ(one.program.rules, other.program.rules);
    EXPECT_EQ(one.program.bothDirections, other.program.bothDirections);
    EXPECT_EQ(one.inspection.fusing, other.inspection.fusing);
    EXPECT_EQ(one.inspection.reason, other.inspection.reason);
    EXPECT_EQ(one.inspection.congestion, other.inspection.congestion);
    EXPECT_GT(one.inspection.verifiedInstructions, 0U);
    ASSERT_EQ(one.program.maps.size(), other.program.maps.size());
    for (std::size_t i = 0; i < one.program.maps.size(); ++i) {
        EXPECT_EQ(one.program.maps[i].name, other.program.maps[i].name);
        EXPECT_EQ(one.program.maps[i].facts, other.program.maps[i].facts);
        EXPECT_EQ(one.program.maps[i].kept, other.program.maps[i].kept);
    }
}

TEST_F(Workshops, AWorkerMakesWhatThisProcessMakes) {
    std::size_t objects = 0;
    for (const auto& entry : fs::directory_iterator(CATALOGUE)) {
        const auto file = entry.path().filename().string();
        if (!file.ends_with(".bpf.o"))
            continue;
        const auto wanted = object(file.substr(0, file.size() - 6));
        const auto made = workshop_.makeFilter(wanted, counters_.get());
        const auto here = direct_.makeFilter(wanted, counters_.get());
        ASSERT_TRUE(made) << file << ": " << made.error().message;
        ASSERT_TRUE(here) << file << ": " << here.error().message;
        expectSame(*made, *here);
        ++objects;
    }
    EXPECT_GE(objects, 8U);
    const auto made = workshop_.makeFilter(rules("some", 443), counters_.get());
    ASSERT_TRUE(made) << made.error().message;
    expectSame(*made, direct_.makeFilter(rules("some", 443), counters_.get()).value());
    EXPECT_GT(progress_, 0);
}

TEST_F(Workshops, ErrorsAreThoseOfThisProcess) {
    const auto broken = request("broken", packet::PacketRules{{{packet::Verdict::Allow, "tcp prot 80"}},
                                                              packet::Verdict::Deny,
                                                              packet::Verdict::Deny});
    for (const auto& wanted :
         {broken, request("empty", ElfObject{}), request("text", ElfObject{{std::byte{1}}})}) {
        const auto made = workshop_.makeFilter(wanted, counters_.get());
        const auto here = direct_.makeFilter(wanted, counters_.get());
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, here.error().code);
        EXPECT_EQ(made.error().message, here.error().message);
        EXPECT_EQ(made.error().item, here.error().item);
    }
}

// The first attempt finds nothing, and keeps nobody waiting; the last one has all of it.
TEST_F(Workshops, ACallIsTriedAgainWhenItsProgramIsThere) {
    int attempts = 0;
    bool isMade = false;
    call({":1.7", 0}, object("port"), attempts, [&](const auto& made) { isMade = made.has_value(); });
    EXPECT_EQ(attempts, 1);
    EXPECT_FALSE(workshop_.isWaiting()) << "the attempt is over";
    runUntil([&] { return isMade; });
    EXPECT_EQ(attempts, 2);
}

TEST_F(Workshops, WhoCrashesHangsLeavesOrLiesCostsItsOwnJobAlone) {
    for (const auto& [how, code, text] : {std::tuple("crash", ErrorCode::InvalidObject, "Segmentation fault"),
                                          std::tuple("leave", ErrorCode::InvalidObject, "status 3"),
                                          std::tuple("hang", ErrorCode::LimitExceeded, "longer than 2 s"),
                                          std::tuple("lie-of-bytes", ErrorCode::Internal, "cannot be read"),
                                          std::tuple("lie-of-nothing", ErrorCode::Internal, "cannot be")}) {
        behave(how);
        const auto waited = workshop_.makeFilter(object("port"), counters_.get());
        ASSERT_FALSE(waited) << how;
        EXPECT_EQ(waited.error().code, code) << how << ": " << waited.error().message;
        EXPECT_NE(waited.error().message.find(text), std::string::npos) << waited.error().message;
        EXPECT_TRUE(waited.error().message.starts_with("filter 'port': ")) << waited.error().message;
        int attempts = 0;
        std::optional<Error> called;
        call({":1.7", 0}, object("port"), attempts,
             [&](const auto& made) { called = made ? Error{} : made.error(); });
        runUntil([&] { return called.has_value(); });
        EXPECT_EQ(called->message, waited.error().message);
        behave("");
        bool isMade = false;
        call({":1.7", 0}, object("port"), attempts, [&](const auto& made) { isMade = made.has_value(); });
        runUntil([&] { return isMade; });
    }
}

// It is tried again for who asks, and for nobody else.
TEST_F(Workshops, WhatHasEndedAWorkerIsDoneForClientsAlone) {
    const auto tryFor = [&](const std::string& client) {
        int attempts = 0;
        std::optional<std::string> said;
        call({client, 0}, object("port"), attempts,
             [&](const auto& made) { said = made ? "" : made.error().message; });
        runUntil([&] { return said.has_value(); });
        return *said;
    };
    behave("crash");
    const auto first = tryFor("");
    EXPECT_NE(first.find("Segmentation fault"), std::string::npos) << first;
    behave("");
    const auto second = tryFor("");
    EXPECT_NE(second.find("Segmentation fault"), std::string::npos) << second;
    EXPECT_NE(second.find("not tried again until somebody asks for it"), std::string::npos) << second;
    EXPECT_FALSE(workshop_.makeFilter(object("port"), counters_.get())) << "outside of any attempt";
    EXPECT_EQ(tryFor(":1.7"), "");
    EXPECT_EQ(tryFor(""), "") << "it is good after all";
}

TEST_F(Workshops, WhatWasGoodBeforeIsDoneBeforeWhatIsNew) {
    std::vector<int> done;
    const auto all = [&](const std::vector<int>& numbers) {
        std::vector<int> attempts(numbers.size());
        done.clear();
        for (std::size_t i = 0; i < numbers.size(); ++i)
            call({}, rules("r", numbers[i]), attempts[i],
                 [&done, number = numbers[i]](const auto&) { done.push_back(number); });
        EXPECT_EQ(workshop_.works().size(), numbers.size());
        EXPECT_EQ(workshop_.works().front().what, "filter 'r'");
        runUntil([&] { return done.size() == numbers.size(); });
    };
    all({30, 40});
    runUntil([last = 0]() mutable { return ++last > 2; });
    EXPECT_TRUE(workshop_.works().empty());
    EXPECT_GT(fs::file_size(temp_.path() / "costs"), 0U) << "it outlives the daemon";
    all({10, 20, 30, 40});
    EXPECT_EQ(std::set<int>(done.begin(), done.begin() + 2), (std::set<int>{30, 40}));
    EXPECT_EQ(std::vector<int>(done.begin() + 2, done.end()), (std::vector<int>{10, 20}));
}

// What reads and writes values takes types at their word.
TEST_F(Workshops, TypesThatNoValueHasAreNotTaken) {
    const auto honest = doJob({makeJob(object("port"), counters_.get()).bytes,
                               [&] {
                                   std::vector<UniqueFd> fds;
                                   fds.push_back(bpf::duplicate(counters_.get()).value());
                                   return fds;
                               }()},
                              {direct_, expressions_});
    const auto lie = [&](const std::function<void(nlohmann::json&)>& change) {
        auto data = nlohmann::json::from_cbor(honest.parcel.bytes);
        change(data.at("parameters").at(0).at("type"));
        return readMade(copyOf({nlohmann::json::to_cbor(data), honest.parcel.fds}).value());
    };
    ASSERT_TRUE(lie([](auto&) {}));
    const nlohmann::json nothing{{"kind", 8}, {"name", ""}, {"size", 0}};
    const nlohmann::json element{{"name", ""}, {"offset", 0}, {"type", nothing}};
    for (const auto& [kind, size, count] :
         {std::tuple(1, 3, 0U), std::tuple(1, 16, 0U), std::tuple(2, 0, 0U), std::tuple(3, 5, 0U),
          std::tuple(5, 2, 0U), std::tuple(6, 8, 0U), std::tuple(7, 0, 0U), std::tuple(7, 0, 4'000'000'000U),
          std::tuple(9, 4, 0U), std::tuple(10, 3, 0U), std::tuple(11, 1, 0U), std::tuple(12, 4, 0U)}) {
        const auto read = lie([&, kind = kind, size = size, count = count](auto& type) {
            type = {{"kind", kind}, {"name", "x"}, {"size", size}, {"count", count}};
            if (count > 0)
                type["elements"] = {element};
        });
        ASSERT_FALSE(read) << kind;
        EXPECT_NE(read.error().message.find("cannot be right"), std::string::npos) << read.error().message;
    }
}

// One worker, and a user who asks for much: the others' jobs come in between.
TEST_F(Workshops, UsersAreServedInTurn) {
    std::vector<std::string> done;
    std::vector<int> attempts(8);
    const auto ask = [&](uid_t uid, int number) {
        call({":1." + std::to_string(uid), uid}, rules("r", 1000 + number),
             attempts.at(static_cast<std::size_t>(number)), [&done, uid](const auto& made) {
                 EXPECT_TRUE(made) << made.error().message;
                 done.push_back(std::to_string(uid));
             });
    };
    for (int number = 0; number < 5; ++number)
        ask(1000, number);
    ask(1001, 5);
    ask(0, 6);
    ask(1001, 7);
    runUntil([&] { return done.size() == 8; });
    const std::vector<std::string> inTurn{"1000", "1001", "0", "1000", "1001", "1000", "1000", "1000"};
    EXPECT_EQ(done, inTurn);
}

TEST_F(Workshops, TheSameWorkIsDoneOnce) {
    int attempts = 0;
    std::set<std::uint32_t> programs;
    int done = 0;
    for (int i = 0; i < 3; ++i)
        call({":1.7", 0}, object("port"), attempts, [&](const auto& made) {
            ASSERT_TRUE(made) << made.error().message;
            programs.insert(bpf::programInfo(made->program.program.get())->id);
            ++done;
        });
    runUntil([&] { return done == 3; });
    EXPECT_EQ(programs.size(), 1U);
    EXPECT_EQ(attempts, 6);
}

TEST_F(Workshops, WhatAClientThatIsGoneAskedForIsNotTriedAgain) {
    int gone = 0;
    int stays = 0;
    bool isDone = false;
    call({":1.8", 1000}, rules("gone", 1), gone, [](const auto&) { ADD_FAILURE() << "nobody hears of it"; });
    call({":1.9", 1000}, rules("stays", 2), stays, [&](const auto& made) { isDone = made.has_value(); });
    workshop_.forget(":1.8");
    runUntil([&] { return isDone; });
    EXPECT_EQ(gone, 1);
    EXPECT_EQ(stays, 2);
}

// The worker of a call that is given up goes on; what it makes is what the next one asks for.
TEST_F(Workshops, WhatIsDoneForSomebodyWhoIsGoneIsNotDoneAgain) {
    int gone = 0;
    int attempts = 0;
    std::vector<Result<bpf::MadeFilter>> made;
    call({":1.8", 0}, object("port"), gone, [](const auto&) { ADD_FAILURE() << "nobody hears of it"; });
    workshop_.forget(":1.8");
    bool isDone = false;
    workshop_.run(
        {":1.9", 0},
        [&] {
            ++attempts;
            made.clear();
            made.push_back(workshop_.makeFilter(object("port"), counters_.get()));
            made.push_back(workshop_.makeFilter(rules("more", 7), counters_.get()));
        },
        [&] { isDone = true; });
    runUntil([&] { return isDone; });
    EXPECT_EQ(attempts, 2);
    for (const auto& one : made)
        EXPECT_TRUE(one) << one.error().message;
}

TEST_F(Workshops, AUserHasSoManyCallsWaiting) {
    behave("hang");
    std::vector<int> attempts(17);
    for (int i = 0; i < 16; ++i) {
        ASSERT_TRUE(workshop_.roomFor({":1.8", 1000}));
        call({":1.8", 1000}, rules("r", i + 1), attempts.at(static_cast<std::size_t>(i)), [](const auto&) {});
    }
    const auto refused = workshop_.roomFor({":1.8", 1000});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
    EXPECT_TRUE(workshop_.roomFor({":1.9", 1001})) << "others have room of their own";
    EXPECT_TRUE(workshop_.roomFor({":1.2", 0}));
    workshop_.forgetClients();
    EXPECT_TRUE(workshop_.roomFor({":1.8", 1000}));
}

// An attempt that has to go back to what was before waits, and finds everything.
TEST_F(Workshops, WhoHurriesWaits) {
    int attempts = 0;
    bool isMade = false;
    workshop_.run(
        {":1.7", 0},
        [&] {
            ++attempts;
            EXPECT_FALSE(workshop_.makeFilter(object("port"), counters_.get()));
            EXPECT_TRUE(workshop_.isWaiting());
            workshop_.hurry();
            EXPECT_FALSE(workshop_.isWaiting());
            isMade = workshop_.makeFilter(object("port"), counters_.get()).has_value();
        },
        [] {});
    EXPECT_EQ(attempts, 1);
    EXPECT_TRUE(isMade);
}

TEST_F(Workshops, WhatIsNeverTheSameIsRefusedInTheEnd) {
    int attempts = 0;
    std::optional<Error> error;
    workshop_.run(
        {":1.7", 0},
        [&] {
            auto made = workshop_.makeFilter(rules("r", ++attempts), counters_.get());
            error = made ? std::nullopt : std::optional(made.error());
        },
        [] {});
    runUntil([&] { return attempts > 64; });
    EXPECT_EQ(attempts, 65);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, ErrorCode::LimitExceeded);
}

// No exception leaves an attempt: who waits beside it is served all the same.
TEST_F(Workshops, AnAttemptThatThrowsIsOver) {
    int attempts = 0;
    bool isOver = false;
    bool isMade = false;
    workshop_.run(
        {},
        [&] {
            static_cast<void>(workshop_.makeFilter(rules("r", 7), counters_.get()));
            if (++attempts == 2)
                throw std::runtime_error("as a fault of filterd would");
        },
        [&] { isOver = true; });
    int others = 0;
    call({":1.7", 0}, rules("r", 7), others, [&](const auto& made) { isMade = made.has_value(); });
    runUntil([&] { return isMade; });
    EXPECT_TRUE(isOver);
    EXPECT_EQ(attempts, 2);
}

TEST_F(Workshops, NoDescriptorIsLeft) {
    const auto open = [] {
        return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
    };
    int attempts = 0;
    int done = 0;
    const auto some = [&] {
        for (int i = 0; i < 4; ++i)
            call({":1.7", 0}, rules("r", 1 + i), attempts, [&](const auto&) { ++done; });
        runUntil([&] { return done % 4 == 0 && done > 0; });
        runUntil([last = 0]() mutable { return ++last > 2; }); // the loop ends what is over
    };
    some();
    const auto before = open();
    for (int i = 0; i < 5; ++i) {
        done = 0;
        some();
    }
    EXPECT_EQ(open(), before);
}

} // namespace
} // namespace filterd::worker
