// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What is wrong with an object is said, and what is right is taken.

#include "core/object/object_check.hpp"
#include "damaged_object.hpp"
#include "tests/shared/plain_intake.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <linux/btf.h>
#include <span>

namespace filterd::test {
namespace {

constexpr std::size_t kInfo = offsetof(btf_type, info);
constexpr std::size_t kRefersTo = offsetof(btf_type, type);
constexpr std::size_t kMembers = sizeof(btf_type);
constexpr std::uint32_t kNowhere = 45313;

// Returns what the intake says of it, as `filterctl check` and the daemon do.
std::string said(const ObjectBytes& object) {
    PlainIntake intake;
    ObjectRequest request{*FilterName::parse("f"), ElfObject{object}, ""};
    const auto inspected = intake.inspect(request);
    if (inspected)
        return "";
    EXPECT_EQ(inspected.error().code, ErrorCode::InvalidObject) << inspected.error().message;
    EXPECT_TRUE(inspected.error().message.starts_with("filter 'f': not a usable BPF object: "))
        << inspected.error().message;
    return inspected.error().message;
}

bool says(const ObjectBytes& object, const std::string& text) {
    const auto message = said(object);
    if (message.find(text) != std::string::npos)
        return true;
    ADD_FAILURE() << "'" << message << "' does not say '" << text << "'";
    return false;
}

TEST(ObjectCheck, TakesEveryObjectOfTheCatalogue) {
    ASSERT_GE(catalogue().size(), 11U);
    for (const auto& name : catalogue()) {
        const auto checked = checkObject(objectNamed(name));
        EXPECT_TRUE(checked) << name << ": " << (checked ? "" : checked.error().message);
        EXPECT_EQ(said(objectNamed(name)), "") << name;
    }
}

// Both ended the daemon and 'filterctl check': a map's definition with a member of no type.
TEST(ObjectCheck, NamesTheMemberOfAMapWhoseTypeThereIsNot) {
    auto object = objectNamed("count");
    auto map = typeIn(object, typeIn(object, "counters", BTF_KIND_VAR).refersTo);
    put(object, map.offset + kMembers + offsetof(btf_member, type), kNowhere);
    EXPECT_TRUE(
        says(object, ".BTF: type " + std::to_string(map.id) + " refers to type 45313, and there are "));

    object = objectNamed("dns");
    map = typeIn(object, typeIn(object, "domains", BTF_KIND_VAR).refersTo);
    put(object, map.offset + kMembers + sizeof(btf_member) + offsetof(btf_member, type), 134);
    EXPECT_TRUE(says(object, ".BTF: type " + std::to_string(map.id) + " refers to type 134, and there are "));
}

TEST(ObjectCheck, RefusesWhatContainsItself) {
    const auto whole = objectNamed("dns");
    for (const auto* name : {"__u32", "__u16"}) { // another name for itself
        auto object = whole;
        const auto type = typeIn(object, name, BTF_KIND_TYPEDEF);
        put(object, type.offset + kRefersTo, type.id);
        EXPECT_TRUE(says(object, "is a part of itself"));
    }
    auto object = whole; // an array of itself
    const auto license = typeIn(object, typeIn(object, "LICENSE", BTF_KIND_VAR).refersTo);
    put(object, license.offset + kMembers + offsetof(btf_array, type), license.id);
    EXPECT_TRUE(says(object, "type " + std::to_string(license.id) + " is a part of itself"));
    object = whole; // a structure that is its own member
    const auto packet = typeIn(object, "__sk_buff", BTF_KIND_STRUCT);
    put(object, packet.offset + kMembers + offsetof(btf_member, type), packet.id);
    EXPECT_TRUE(says(object, "type " + std::to_string(packet.id) + " is a part of itself"));
}

TEST(ObjectCheck, RefusesTypesOfTheWrongKind) {
    const auto whole = objectNamed("count");
    const auto function = typeIn(whole, "count", BTF_KIND_FUNC);
    const auto variable = typeIn(whole, "counters", BTF_KIND_VAR);
    auto object = whole;
    put(object, function.offset + kRefersTo, variable.id);
    EXPECT_TRUE(says(object, "which is of the wrong kind"));
    object = whole;
    put(object, typeIn(whole, ".maps", BTF_KIND_DATASEC).offset + kMembers, function.refersTo);
    EXPECT_TRUE(says(object, "which is of the wrong kind"));
    object = whole;
    put(object, variable.offset + kInfo, 31U << 24);
    EXPECT_TRUE(says(object, "is of the unknown kind 31"));
    object = whole;
    put(object, variable.offset, 1U << 30);
    EXPECT_TRUE(says(object, "has its name beyond the end of all names"));
    object = whole; // as many members as a structure can have
    const auto packet = typeIn(whole, "__sk_buff", BTF_KIND_STRUCT);
    put(object, packet.offset + kInfo, (BTF_KIND_STRUCT << 24) | 0xffff);
    EXPECT_TRUE(says(object, ".BTF: "));
}

TEST(ObjectCheck, RefusesWhatIsSaidOfInstructionsThatLeadsNowhere) {
    const auto whole = objectNamed("dns");
    const auto section = sectionIn(whole, ".BTF.ext").first;
    std::uint32_t header = 0;
    std::memcpy(&header, whole.data() + section + 4, sizeof header);
    const auto functions = section + header; // record size, then name, count, then records
    const std::pair<std::size_t, const char*> damages[] = {
        {0, "records have a wrong size"}, {4, "names no section"},      {8, "beyond its end"},
        {12, "is of no instruction"},     {16, "which is no function"},
    };
    for (const auto& [offset, text] : damages) {
        auto object = whole;
        put(object, functions + offset, 0x7ffffff1);
        EXPECT_TRUE(says(object, text)) << offset;
    }
    auto object = whole;
    put(object, section + 4, 0xfffffff0);
    EXPECT_TRUE(says(object, ".BTF.ext: its header has a wrong length"));
}

TEST(ObjectCheck, RefusesHeadersSymbolsAndRelocationsThatLeadNowhere) {
    const auto whole = objectNamed("count");
    const auto symbols = sectionIn(whole, ".symtab").first + sizeof(Elf64_Sym);
    const auto relocations = sectionIn(whole, ".relcgroup/skb").first;
    const auto headers = sectionIn(whole, "section headers").first + sizeof(Elf64_Shdr);
    const std::pair<std::size_t, const char*> damages[] = {
        {offsetof(Elf64_Ehdr, e_shoff), "section headers lie beyond the end of the file"},
        {offsetof(Elf64_Ehdr, e_shentsize), "gives sizes that no ELF file has"},
        {symbols + offsetof(Elf64_Sym, st_name), "symbol 1 has its name beyond"},
        {symbols + offsetof(Elf64_Sym, st_value), "symbol 1 lies beyond the end of section"},
        {relocations, "relocation 0 lies beyond the end of section 'cgroup/skb'"},
        {relocations + offsetof(Elf64_Rel, r_info) + 4, "relocation 0 is of a symbol that there is not"},
        {headers + offsetof(Elf64_Shdr, sh_name), "section 1 has its name beyond"},
        {headers + offsetof(Elf64_Shdr, sh_size), "section of names is none"},
    };
    for (const auto& [offset, text] : damages) {
        auto object = whole;
        put(object, offset, 0x7ffffff0);
        EXPECT_TRUE(says(object, text)) << offset;
    }
    auto object = whole;
    object[symbols + offsetof(Elf64_Sym, st_shndx)] = std::byte{200};
    EXPECT_TRUE(says(object, "symbol 1 is in section 200, and there are "));
}

TEST(ObjectCheck, RefusesWhatIsNoObjectForBpf) {
    EXPECT_TRUE(says(ObjectBytes(100, std::byte{'x'}), "it is no ELF file"));
    auto object = objectNamed("drop");
    object[offsetof(Elf64_Ehdr, e_machine)] = std::byte{EM_X86_64};
    EXPECT_TRUE(says(object, "clang -target bpf -c"));
    object = objectNamed("drop");
    object[EI_CLASS] = std::byte{ELFCLASS32};
    EXPECT_TRUE(says(object, "no 64-bit ELF file"));
    for (std::size_t size = 1; size < objectNamed("drop").size(); size += 7) {
        object = objectNamed("drop");
        object.resize(size);
        EXPECT_FALSE(checkObject(object)) << size;
    }
}

// Packet rules and built-in filters were once told by these bytes.
TEST(ObjectCheck, TakesAFileForAnObjectWhateverItBeginsWith) {
    for (const std::string text :
         {"filterd rules 1\ndefault allow\nunparsable allow\n", "builtin:pass", "builtin:"}) {
        const auto bytes = std::as_bytes(std::span(text));
        EXPECT_TRUE(says({bytes.begin(), bytes.end()}, "it is no ELF file")) << text;
    }
}

} // namespace
} // namespace filterd::test
