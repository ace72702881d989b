// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "damaged_object.hpp"

#include <bpf/btf.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

namespace filterd::test {

namespace {

constexpr std::string_view kSuffix = ".bpf.o";

// The file's bytes from that section on are what libbpf is given.
std::unique_ptr<btf, decltype(&::btf__free)> typesOf(const ObjectBytes& object) {
    const auto range = sectionIn(object, ".BTF");
    return {::btf__new(object.data() + range.first, static_cast<__u32>(range.size)), ::btf__free};
}

TypeRecord recordOf(const ObjectBytes& object, const btf* types, std::uint32_t id) {
    __u32 size = 0;
    const auto* raw = static_cast<const char*>(::btf__raw_data(types, &size));
    const auto* type = ::btf__type_by_id(types, id);
    const auto within = static_cast<std::size_t>(reinterpret_cast<const char*>(type) - raw);
    return {id, sectionIn(object, ".BTF").first + within, type->type};
}

} // namespace

std::vector<std::string> catalogue() {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(FILTERD_CATALOGUE_DIR))
        if (const auto name = file.path().filename().string(); name.ends_with(kSuffix))
            names.push_back(name.substr(0, name.size() - kSuffix.size()));
    std::sort(names.begin(), names.end());
    return names;
}

ObjectBytes objectNamed(const std::string& name) {
    std::ifstream file(std::string(FILTERD_CATALOGUE_DIR) + "/" + name + std::string(kSuffix),
                       std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(file)), {});
    if (content.empty())
        throw std::runtime_error("there is no object " + name);
    ObjectBytes bytes(content.size());
    std::memcpy(bytes.data(), content.data(), content.size());
    return bytes;
}

std::vector<Range> signposts(const ObjectBytes& object) {
    const object::ByteView view{object};
    const auto sections = object::sectionsOf(view).value();
    const auto header = view.at<Elf64_Ehdr>(0).value();
    std::vector<Range> ranges{{"ELF header", 0, sizeof header},
                              {"section headers", header.e_shoff, sections.size() * sizeof(Elf64_Shdr)}};
    for (const auto& section : sections)
        if (section.name.starts_with(".BTF") || section.header.sh_type == SHT_SYMTAB ||
            section.header.sh_type == SHT_REL || section.header.sh_type == SHT_STRTAB)
            ranges.push_back({std::string(section.name), section.header.sh_offset, section.header.sh_size});
    return ranges;
}

Range sectionIn(const ObjectBytes& object, std::string_view name) {
    for (auto& range : signposts(object))
        if (range.name == name)
            return range;
    throw std::runtime_error("the object has no section " + std::string(name));
}

TypeRecord typeIn(const ObjectBytes& object, std::string_view name, std::uint32_t kind) {
    const auto types = typesOf(object);
    const auto id = ::btf__find_by_name_kind(types.get(), std::string(name).c_str(), kind);
    if (id <= 0)
        throw std::runtime_error("the object has no type " + std::string(name));
    return recordOf(object, types.get(), static_cast<std::uint32_t>(id));
}

TypeRecord typeIn(const ObjectBytes& object, std::uint32_t id) {
    return recordOf(object, typesOf(object).get(), id);
}

void put(ObjectBytes& object, std::size_t offset, std::uint32_t value) {
    std::memcpy(object.data() + offset, &value, sizeof value);
}

} // namespace filterd::test
