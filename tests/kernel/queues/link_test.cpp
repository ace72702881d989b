// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The life of attachments: adopted after a restart, killed at every step, collected after their cgroup,
// beside programs of others.

#include "queue_bed.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>

namespace filterd::test {
namespace {

namespace fs = std::filesystem;

class Attachments : public KernelTest {
  protected:
    [[nodiscard]] std::string recordsBelow(const char* directory) const {
        return records() + "/programs/" + directory;
    }
    template<typename Change>
    void changeRecords(Change change) const {
        for (const char* directory : {"filters", "queues"})
            for (const auto& entry : fs::directory_iterator(recordsBelow(directory)))
                change(entry.path());
    }
    // Whatever happened: nothing passes that the queue drops, and what was adopted can be worked with.
    void expectUsable(const Unit& unit) {
        const auto judge = load("later", "not_9999");
        use(unit, Direction::Egress, {judge});
        // A link whose last descriptor a kill has closed goes some time later.
        EXPECT_TRUE(eventually([&] { return unit.programs(Direction::Egress).size() == 1; }));
        EXPECT_TRUE(unit.sends(kOpenPort));
        EXPECT_FALSE(unit.sends(kDroppedPort));
    }
};

// ---- a restart (I5) -------------------------------------------------------------------------------------

TEST_F(Attachments, ARestartAdoptsEverythingAndAttachesNothing) {
    const Unit one("one.service");
    const Unit two("two.service");
    const auto judge = load("judge", "not_9999");
    const auto storage = load("storage", "", "storage");
    const auto fused = build(Direction::Egress, {judge});
    const auto separate = build(Direction::Egress, {storage, judge});
    put(one, fused);
    put(two, separate);
    use(one, Direction::Ingress, {judge});
    const auto before = links();
    const auto fact = *kernel().buildQueue(fused);
    restart();
    EXPECT_EQ(links(), before);
    ASSERT_EQ(state().filters.size(), 2U);
    EXPECT_EQ(state().filters[0].instance, judge);
    EXPECT_EQ(state().filters[1].instance, storage);
    EXPECT_EQ(state().queues.size(), 3U);
    EXPECT_EQ(state().queues.at(idOf(fused)), fact);
    EXPECT_EQ(state().queues.at(idOf(separate)).mode, QueueMode::Links);
    EXPECT_EQ(state().contents.at(idOf(fused)), fused);
    EXPECT_EQ(state().contents.at(idOf(separate)), separate);
    ASSERT_EQ(state().attachments.size(), 3U);
    EXPECT_EQ(state().attachments.at(one.point(Direction::Egress)), (Attachment{idOf(fused), false}));
    EXPECT_EQ(state().attachments.at(two.point(Direction::Egress)), (Attachment{idOf(separate), false}));
    put(one, build(Direction::Egress, {judge, load("more", "not_9998")}));
    EXPECT_EQ(links().size(), before.size());
    for (const auto& [name, link] : links())
        EXPECT_EQ(link.id, before.at(name).id) << name;
    EXPECT_FALSE(one.sends(9998));
}

class DamagedRecords : public Attachments {
  protected:
    template<typename Change>
    void check(Change change) {
        const Unit unit("unit.service");
        const auto judge = load("judge", "not_9999");
        use(unit, Direction::Egress, {judge, load("storage", "", "other_license")});
        use(unit, Direction::Ingress, {load("links", "", "storage")});
        const auto before = links();
        changeRecords(change);
        restart();
        EXPECT_EQ(links(), before);
        EXPECT_EQ(state().filters.size(), 3U);
        EXPECT_EQ(state().attachments.size(), 2U);
        EXPECT_FALSE(unit.sends(kDroppedPort));
        EXPECT_FALSE(unit.receives(kDroppedPort));
        EXPECT_TRUE(unit.sends(kOpenPort));
        // The filters are still there to be used.
        for (const auto& facts : state().filters) {
            if (facts.instance.name.text() == "judge") {
                use(unit, Direction::Egress, {facts.instance});
            }
        }
        EXPECT_FALSE(unit.sends(kDroppedPort));
        EXPECT_TRUE(unit.sends(kOpenPort));
        expectUsable(unit);
    }
};

TEST_F(DamagedRecords, MissingOnesCostNoFiltering) {
    check([](const fs::path& path) { fs::remove(path); });
}
TEST_F(DamagedRecords, EmptyOnesCostNoFiltering) {
    check([](const fs::path& path) { fs::resize_file(path, 0); });
}
TEST_F(DamagedRecords, CutOnesCostNoFiltering) {
    check([](const fs::path& path) { fs::resize_file(path, fs::file_size(path) / 2); });
}
TEST_F(DamagedRecords, ChangedOnesCostNoFiltering) {
    check([](const fs::path& path) {
        std::fstream file(path, std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(fs::file_size(path) / 2));
        file << "zzzz";
    });
}

TEST_F(Attachments, AQueueFiltersOnWhenNobodyKnowsWhatIsInIt) { // I5
    const Unit unit("unit.service");
    const auto judge = load("judge", "not_9999");
    const auto fused = build(Direction::Egress, {judge});
    const auto separate = build(Direction::Ingress, {load("storage", "", "storage"), judge});
    put(unit, fused);
    put(unit, separate);
    const fs::path queues = std::string(kPins) + "/queues";
    fs::rename(queues / idOf(fused).text / "contents", queues / idOf(separate).text / "contents");
    restart();
    EXPECT_TRUE(state().contents.empty());
    EXPECT_EQ(state().attachments.at(unit.point(Direction::Egress)), (Attachment{idOf(fused), false}));
    EXPECT_EQ(state().attachments.at(unit.point(Direction::Ingress)), (Attachment{idOf(separate), false}));
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_FALSE(unit.receives(kDroppedPort));
    expectUsable(unit);
}

TEST_F(Attachments, ARecordOfAnotherProgramIsNotBelieved) {
    const Unit unit("unit.service");
    load("judge", "not_9999");
    load("lax", "pass");
    fs::copy_file(recordsBelow("filters") + "/lax.json", recordsBelow("filters") + "/judge.json",
                  fs::copy_options::overwrite_existing);
    restart();
    for (const auto& facts : state().filters)
        if (facts.instance.name.text() == "judge")
            use(unit, Direction::Egress, {facts.instance});
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_TRUE(unit.sends(kOpenPort));
}

// ---- killed at every step (I1, I4) ----------------------------------------------------------------------

class Killed : public Attachments {
  protected:
    // Prepares, is killed at each step of the change in turn, and is started again each time.
    template<typename Prepare, typename Change, typename Check>
    void atEveryStep(Prepare prepare, Change change, Check check) {
        bool killed = true;
        int step = 1;
        for (; killed && !HasFailure(); ++step) {
            SCOPED_TRACE("step " + std::to_string(step));
            restart();
            {
                const Unit unit("unit.service");
                prepare(unit);
                killed = killedAtStep(step, [&] { change(unit); });
                check(unit, "after the kill");
                restart();
                check(unit, "after the restart");
                expectUsable(unit);
            }
            tearDownPins();
        }
        EXPECT_GT(step, 3);
        restart();
    }
};

void staysFiltered(const Unit& unit, const char* when) {
    EXPECT_FALSE(unit.sends(kDroppedPort)) << when;
    EXPECT_TRUE(unit.sends(kOpenPort)) << when;
}

TEST_F(Killed, WhileAFilterIsLoadedPublishedBuiltAndAttached) {
    atEveryStep([](const Unit&) {},
                [&](const Unit& unit) { use(unit, Direction::Egress, {load("f", "not_9999")}); },
                [](const Unit& unit, const char* when) { EXPECT_TRUE(unit.sends(kOpenPort)) << when; });
}

TEST_F(Killed, WhileAQueueIsReplaced) {
    Queue first;
    Queue second;
    atEveryStep(
        [&](const Unit& unit) {
            const auto judge = load("judge", "not_9999");
            first = build(Direction::Egress, {judge});
            second = build(Direction::Egress, {load("other", "scribble"), judge});
            put(unit, first);
        },
        [&](const Unit& unit) { put(unit, second); }, staysFiltered);
}

TEST_F(Killed, WhileAQueueIsReplacedByLinksAndLinksByLinksAndLinksByAQueue) {
    std::vector<Queue> queues;
    for (std::size_t from = 0; from < 3; ++from)
        atEveryStep(
            [&](const Unit& unit) {
                const auto judge = load("judge", "not_9999");
                const auto storage = load("storage", "", "storage");
                queues = {build(Direction::Egress, {judge}), build(Direction::Egress, {storage, judge}),
                          build(Direction::Egress, {judge, storage})};
                put(unit, queues[from]);
            },
            [&](const Unit& unit) { put(unit, queues[(from + 1) % queues.size()]); }, staysFiltered);
}

TEST_F(Killed, WhileAQueueIsReplacedByOneThatCountsNothing) { // where that needs a new link
    Queue counting;
    Queue tailing;
    for (const bool toTailing : {true, false})
        atEveryStep(
            [&](const Unit& unit) {
                const auto judge = load("judge", "not_9999");
                counting = build(Direction::Egress, {judge});
                tailing = build(Direction::Egress, {load("tail", "filter", "tail_call_egress"), judge});
                put(unit, toTailing ? counting : tailing);
            },
            [&](const Unit& unit) { put(unit, toTailing ? tailing : counting); }, staysFiltered);
}

TEST_F(Killed, WhileAFilterIsReplacedAndItsOldInstanceCollected) {
    FilterInstance old{filterName("judge"), "1"};
    atEveryStep(
        [&](const Unit& unit) {
            use(unit, Direction::Egress, {load("judge", "not_9999", "queue_filters", "1")});
        },
        [&](const Unit& unit) {
            const auto loaded =
                kernel().loadFilter({old.name, ElfObject{objectBytes("other_license")}, ""}, "2");
            ASSERT_TRUE(loaded);
            use(unit, Direction::Egress, {loaded->instance});
            ASSERT_TRUE(kernel().publishFilter(loaded->instance));
            ASSERT_TRUE(kernel().dropQueue(idOf(Queue{Direction::Egress, {old}, false, Fallback::Allow})));
            ASSERT_TRUE(kernel().unloadFilter(old));
        },
        staysFiltered);
}

TEST_F(Killed, WhileAQueueIsDetached) {
    Queue queue;
    atEveryStep(
        [&](const Unit& unit) {
            queue = build(Direction::Egress, {load("judge", "not_9999")});
            put(unit, queue);
        },
        [&](const Unit& unit) {
            ASSERT_TRUE(kernel().detachQueue(unit.point(Direction::Egress)));
            ASSERT_TRUE(kernel().dropQueue(idOf(queue)));
            ASSERT_TRUE(kernel().unloadFilter(queue.filters.front()));
        },
        [](const Unit& unit, const char* when) { EXPECT_TRUE(unit.sends(kOpenPort)) << when; });
}

// ---- the end of a cgroup --------------------------------------------------------------------------------

TEST_F(Attachments, ASocketThatOutlivesItsUnitStaysFilteredUntilItEnds) {
    Unit unit("unit.service");
    const auto queue = build(Direction::Egress, {load("judge", "not_9999")});
    put(unit, queue);
    unit.removeDirectory();
    EXPECT_FALSE(unit.sends(kDroppedPort));
    EXPECT_TRUE(unit.sends(kOpenPort));
    EXPECT_TRUE(kernel().releasedAttachments().empty());
    restart();
    EXPECT_FALSE(state().attachments.at(unit.point(Direction::Egress)).released);
    EXPECT_FALSE(unit.sends(kDroppedPort));
    put(unit, build(Direction::Egress, {load("eights", "not_9998")})); // its link can be updated still
    EXPECT_FALSE(unit.sends(9998));
    unit.closeSockets();
    const std::vector<AttachPoint> expected{unit.point(Direction::Egress)};
    EXPECT_TRUE(eventually([&] { return kernel().releasedAttachments() == expected; }));
    restart();
    EXPECT_TRUE(state().attachments.at(unit.point(Direction::Egress)).released);
    ASSERT_TRUE(kernel().detachQueue(unit.point(Direction::Egress)));
    EXPECT_TRUE(links().empty());
    EXPECT_TRUE(kernel().releasedAttachments().empty());
}

TEST_F(Attachments, AttachingToARemovedCgroupSaysSo) {
    const auto queue = build(Direction::Egress, {load("judge", "not_9999")});
    Unit unit("unit.service");
    unit.removeDirectory();
    const auto refused = kernel().attachQueue(unit.cgroup(), Direction::Egress, idOf(queue));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::NoSuchCgroup);
    const Unit other("unit.service"); // the same path, another cgroup
    EXPECT_EQ(kernel().attachQueue(unit.cgroup(), Direction::Egress, idOf(queue)).error().code,
              ErrorCode::NoSuchCgroup);
    EXPECT_TRUE(other.programs(Direction::Egress).empty());
}

TEST_F(Attachments, DetachingIsInForceWhenItReturns) {
    const Unit unit("unit.service");
    use(unit, Direction::Egress, {load("judge", "not_9999")});
    ASSERT_TRUE(kernel().detachQueue(unit.point(Direction::Egress)));
    EXPECT_TRUE(unit.programs(Direction::Egress).empty());
    EXPECT_TRUE(unit.sends(kDroppedPort));
}

// ---- programs of others (I3) ----------------------------------------------------------------------------

TEST_F(Attachments, WhatIsNotOursIsNeverTouched) {
    const Unit unit("unit.service");
    const auto foreign = load("foreign", "not_9998");
    const UniqueFd program(::bpf_obj_get((std::string(kPins) + "/filters/foreign").c_str()));
    const UniqueFd directory(
        ::open(("/sys/fs/cgroup" + unit.cgroup().path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd link(::bpf_link_create(program.get(), directory.get(), BPF_CGROUP_INET_EGRESS, nullptr));
    ASSERT_TRUE(link);
    ASSERT_EQ(::bpf_prog_attach(program.get(), directory.get(), BPF_CGROUP_INET_INGRESS, BPF_F_ALLOW_MULTI),
              0);
    const auto theirs = unit.programs(Direction::Egress);
    ASSERT_TRUE(kernel().unloadFilter(foreign));
    const auto queues = {build(Direction::Egress, {load("judge", "not_9999")}),
                         build(Direction::Egress, {load("storage", "", "storage")}),
                         build(Direction::Egress, {load("counts", "count")})};
    const auto expectThem = [&](const char* when) {
        for (const auto direction : kDirections) {
            const auto now = unit.programs(direction);
            EXPECT_NE(std::find(now.begin(), now.end(), theirs.front()), now.end()) << when;
        }
        EXPECT_FALSE(unit.sends(9998)) << when;
    };
    for (const auto& queue : queues) {
        put(unit, queue);
        expectThem("after a change");
    }
    restart();
    expectThem("after a restart");
    EXPECT_EQ(state().attachments.size(), 1U);
    ASSERT_TRUE(kernel().detachQueue(unit.point(Direction::Egress)));
    EXPECT_EQ(unit.programs(Direction::Egress), theirs);
    EXPECT_EQ(unit.programs(Direction::Ingress), theirs);
}

// A pin in our directory that is no link of ours under its name is somebody's mistake, not ours to correct.
TEST_F(Attachments, AForeignPinAmongOursIsLeftAlone) {
    const Unit unit("unit.service");
    const Unit other("other.service");
    load("judge", "not_9999");
    const UniqueFd program(::bpf_obj_get((std::string(kPins) + "/filters/judge").c_str()));
    const UniqueFd directory(
        ::open(("/sys/fs/cgroup" + other.cgroup().path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd link(::bpf_link_create(program.get(), directory.get(), BPF_CGROUP_INET_EGRESS, nullptr));
    const auto directoryOfLinks = std::string(kPins) + "/links/";
    ASSERT_EQ(::bpf_obj_pin(link.get(), (directoryOfLinks + "theirs").c_str()), 0);
    char name[40];
    std::snprintf(name, sizeof name, "%016llx-egress",
                  static_cast<unsigned long long>(unit.cgroup().id.value));
    ASSERT_EQ(::bpf_obj_pin(link.get(), (directoryOfLinks + name).c_str()), 0);
    restart();
    EXPECT_TRUE(state().attachments.empty());
    ASSERT_TRUE(kernel().detachQueue(unit.point(Direction::Egress)));
    EXPECT_EQ(links().size(), 2U);
    EXPECT_FALSE(other.sends(kDroppedPort));
}

} // namespace
} // namespace filterd::test
