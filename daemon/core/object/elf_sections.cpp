// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/object/elf_sections.hpp"

#include <algorithm>
#include <bit>

namespace filterd::object {

namespace {

constexpr unsigned char kNativeOrder = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

std::string numbered(std::size_t index) { return "section " + std::to_string(index); }

Result<Elf64_Ehdr> headerOf(ByteView object) {
    const auto header = object.at<Elf64_Ehdr>(0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return bad("it is no ELF file");
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != kNativeOrder ||
        header->e_ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT)
        return bad("it is no 64-bit ELF file in this machine's byte order");
    if (header->e_type != ET_REL || (header->e_machine != EM_BPF && header->e_machine != EM_NONE))
        return bad("it is an ELF file, but no object file for BPF; compile with 'clang -target bpf -c'");
    if (header->e_ehsize != sizeof(Elf64_Ehdr) || header->e_shentsize != sizeof(Elf64_Shdr))
        return bad("its ELF header gives sizes that no ELF file has");
    // Zero would mean that the number is in the first section, as for more than 65,000 of them.
    if (header->e_shnum == 0 || header->e_shnum >= SHN_LORESERVE)
        return bad("its ELF header counts no sections");
    if (!object.has(header->e_shoff, std::size_t{header->e_shnum} * sizeof(Elf64_Shdr)))
        return bad("its section headers lie beyond the end of the file");
    if (header->e_shstrndx == SHN_UNDEF || header->e_shstrndx >= header->e_shnum)
        return bad("its ELF header names a section of names that there is not");
    return *header;
}

// libbpf takes the bytes of these for granted.
bool needsBytes(const Section& section) {
    const auto name = section.name;
    return name == "license" || name == "version" || name == "maps" || name.starts_with(".maps") ||
           name.starts_with(".BTF") || name.starts_with(".data") || name.starts_with(".rodata") ||
           name.starts_with(".struct_ops") || (section.header.sh_flags & SHF_EXECINSTR) != 0;
}

Status fill(Section& section, ByteView object, ByteView names, std::size_t index) {
    const auto& header = section.header;
    const auto name = names.textAt(header.sh_name);
    if (!name)
        return bad(numbered(index) + " has its name beyond the end of all names");
    section.name = *name;
    if (header.sh_type == SHT_NULL || header.sh_type == SHT_NOBITS) {
        if (needsBytes(section))
            return bad(numbered(index) + " '" + std::string(*name) + "' has no bytes in the file");
        return {};
    }
    const auto bytes = object.part(header.sh_offset, header.sh_size);
    if (!bytes)
        return bad(numbered(index) + " '" + std::string(*name) + "' lies beyond the end of the file");
    if ((header.sh_flags & SHF_COMPRESSED) != 0)
        return bad(numbered(index) + " '" + std::string(*name) + "' is compressed");
    section.bytes = *bytes;
    return {};
}

} // namespace

Result<std::vector<Section>> sectionsOf(ByteView object) {
    const auto header = headerOf(object);
    if (!header)
        return failure(header.error());
    std::vector<Section> sections(header->e_shnum);
    for (std::size_t i = 0; i < sections.size(); ++i)
        sections[i].header = *object.at<Elf64_Shdr>(header->e_shoff + i * sizeof(Elf64_Shdr));
    const auto& names = sections[header->e_shstrndx].header;
    const auto texts = object.part(names.sh_offset, names.sh_size);
    if (names.sh_type != SHT_STRTAB || !texts)
        return bad("its section of names is none");
    for (std::size_t i = 1; i < sections.size(); ++i)
        if (auto filled = fill(sections[i], object, *texts, i); !filled)
            return failure(filled.error());
    return sections;
}

const Section* sectionNamed(const std::vector<Section>& sections, std::string_view name) {
    const auto found = std::find_if(sections.begin(), sections.end(),
                                    [&](const Section& section) { return section.name == name; });
    return found == sections.end() ? nullptr : &*found;
}

} // namespace filterd::object
