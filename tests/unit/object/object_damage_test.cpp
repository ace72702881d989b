// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Whatever byte of an object is wrong: whoever reads it goes on. The bytes that lead somewhere are changed
// one by one, in children, so that one that crashes is named.

#include "damaged_object.hpp"
#include "tests/shared/plain_intake.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace filterd::test {
namespace {

constexpr std::size_t kPositions = 2'000; // of one object, over all of its signposts
constexpr unsigned kPatience = 20;        // seconds for one object with one wrong byte: it may not loop
constexpr std::size_t kWanted = 10'000;   // damages of one object, at least: more than 100,000 of the eleven

// One byte, and what stands there instead.
struct Damage {
    std::size_t offset = 0;
    std::byte value{};
};

std::vector<Damage> damagesOf(const ObjectBytes& object) {
    std::vector<std::size_t> places;
    for (const auto& range : signposts(object))
        for (std::size_t i = 0; i < range.size; ++i)
            places.push_back(range.first + i);
    const auto stride = std::max<std::size_t>(1, places.size() / kPositions);
    std::vector<Damage> damages;
    for (std::size_t i = 0; i < places.size(); i += stride) {
        const auto now = object[places[i]];
        for (const auto value : {std::byte{0}, std::byte{0xff}, now ^ std::byte{0x01}, now ^ std::byte{0x80},
                                 now ^ std::byte{0x10}, std::byte(std::to_integer<unsigned>(now) + 1)})
            damages.push_back({places[i], value});
    }
    return damages;
}

// Does what the daemon and `filterctl check` do with an object before they load it.
void inspect(const ObjectBytes& object) {
    PlainIntake intake;
    ObjectRequest request{*FilterName::parse("f"), ElfObject{object}, ""};
    if (!intake.inspect(request))
        return;
    request.parameters.emplace("none-such", Value{std::string("1")}); // it names all that there are
    static_cast<void>(intake.inspect(request));
}

// Told by the child, read after its death.
struct Progress {
    std::size_t next = 0;
};

class Shared {
  public:
    Shared()
        : memory_(static_cast<Progress*>(::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE,
                                                MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
    ~Shared() { ::munmap(memory_, sizeof(Progress)); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    Progress* operator->() const { return memory_; }

  private:
    Progress* memory_;
};

// A child that comes to its end has survived all damages from `next` on.
bool survives(const ObjectBytes& object, const std::vector<Damage>& damages, const Shared& progress) {
    const pid_t child = ::fork();
    if (child == 0) {
        auto damaged = object;
        for (; progress->next < damages.size(); ++progress->next) {
            const auto& damage = damages[progress->next];
            damaged[damage.offset] = damage.value;
            ::alarm(kPatience);
            inspect(damaged);
            damaged[damage.offset] = object[damage.offset];
        }
        ::_exit(0);
    }
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

class ObjectDamage : public ::testing::TestWithParam<std::string> {};

TEST_P(ObjectDamage, NoWrongByteEndsWhoReadsIt) {
    const auto object = objectNamed(GetParam());
    const auto damages = damagesOf(object);
    EXPECT_GE(damages.size(), kWanted);
    const Shared progress;
    while (progress->next < damages.size() && !survives(object, damages, progress)) {
        const auto& damage = damages[progress->next++];
        ADD_FAILURE() << "the byte at " << damage.offset << " as " << std::to_integer<int>(damage.value)
                      << " ends the process";
    }
}

INSTANTIATE_TEST_SUITE_P(Catalogue, ObjectDamage, ::testing::ValuesIn(catalogue()), [](const auto& object) {
    std::string name = object.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

} // namespace
} // namespace filterd::test
