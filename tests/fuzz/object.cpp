// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// ELF objects: what passes our own check is given to libbpf as the worker gives it, and as `filterctl check`
// does.

#include "core/object/elf_sections.hpp"
#include "core/object/object_check.hpp"
#include "fuzz.hpp"
#include "tests/shared/plain_intake.hpp"

#include <fuzzer/FuzzedDataProvider.h>
#include <random>
#include <span>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace filterd::fuzz {
namespace {

void check(std::span<const std::byte> bytes) {
    const auto checked = checkObject(bytes);
    if (!checked) {
        require(checked.error().code == ErrorCode::InvalidObject, "a bad object is told as such");
    }
    test::PlainIntake intake;
    ObjectRequest request{*FilterName::parse("f"), ElfObject{{bytes.begin(), bytes.end()}}, ""};
    const auto inspected = intake.inspect(request);
    require(checked.has_value() || !inspected.has_value(), "what the check refuses nobody reads");
    if (!inspected) {
        requireReadable(inspected.error());
        return;
    }
    request.parameters.emplace("none-such", Value{std::string("1")}); // it names all that there are
    (void)intake.inspect(request);
    request.parameters = {{"ports", Value{std::string("80=1")}}, {"limit", Value{std::string("7")}}};
    (void)intake.inspect(request);
}

// Where libbpf finds its way: the headers, symbols, relocations and type information.
std::vector<std::span<std::uint8_t>> signposts(std::span<std::uint8_t> object) {
    std::vector<std::span<std::uint8_t>> places;
    const object::ByteView view(std::as_bytes(object));
    const auto header = view.at<Elf64_Ehdr>(0);
    const auto sections = object::sectionsOf(view);
    if (!header || !sections)
        return places;
    places.push_back(object.first(sizeof *header));
    const auto add = [&](std::size_t offset, std::size_t size) {
        if (view.has(offset, size) && size > 0)
            places.push_back(object.subspan(offset, size));
    };
    add(header->e_shoff, sections->size() * sizeof(Elf64_Shdr));
    for (const auto& section : *sections)
        if (section.name.starts_with(".BTF") || section.header.sh_type == SHT_SYMTAB ||
            section.header.sh_type == SHT_REL || section.header.sh_type == SHT_STRTAB)
            add(section.header.sh_offset, section.header.sh_size);
    return places;
}

} // namespace
} // namespace filterd::fuzz

// Mostly within one of these places, which keep their sizes.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
    std::mt19937 random(seed);
    const auto places = filterd::fuzz::signposts({data, size});
    if (places.empty() || random() % 8 == 0)
        return LLVMFuzzerMutate(data, size, most);
    const auto place = places[random() % places.size()];
    const std::size_t from = random() % place.size();
    const auto part = place.subspan(from, std::min<std::size_t>(place.size() - from, 1 + random() % 16));
    LLVMFuzzerMutate(part.data(), part.size(), part.size());
    return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    filterd::fuzz::check(std::as_bytes(std::span(data, size)));
    return 0;
}
