// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/object/object_check.hpp"

#include "core/object/btf_ext_check.hpp"
#include "core/object/elf_sections.hpp"

#include <algorithm>
#include <cstdint>

namespace filterd {

namespace {

using object::bad;
using object::ByteView;
using object::Section;
using Sections = std::vector<Section>;

std::string quoted(const Section& section) { return "section '" + std::string(section.name) + "'"; }

bool isTableOf(const Section& section, std::size_t entry) {
    return section.header.sh_entsize == entry && section.bytes.size() % entry == 0;
}

Status checkSymbol(const Elf64_Sym& symbol, std::size_t index, const Sections& sections, ByteView names) {
    const std::string where = "symbol " + std::to_string(index);
    if (!names.textAt(symbol.st_name))
        return bad(where + " has its name beyond the end of all names");
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS || symbol.st_shndx == SHN_COMMON)
        return {};
    if (symbol.st_shndx >= sections.size())
        return bad(where + " is in section " + std::to_string(symbol.st_shndx) + ", and there are " +
                   std::to_string(sections.size()));
    const auto& section = sections[symbol.st_shndx];
    const auto size = section.header.sh_size;
    if (symbol.st_value > size || symbol.st_size > size - symbol.st_value)
        return bad(where + " lies beyond the end of " + quoted(section));
    return {};
}

// Returns how many symbols there are.
Result<std::size_t> checkSymbols(const Section& table, const Sections& sections) {
    if (!isTableOf(table, sizeof(Elf64_Sym)))
        return bad(quoted(table) + " is no table of symbols");
    if (table.header.sh_link >= sections.size() ||
        sections[table.header.sh_link].header.sh_type != SHT_STRTAB)
        return bad(quoted(table) + " has its names in a section that has none");
    const auto names = sections[table.header.sh_link].bytes;
    const auto count = table.bytes.size() / sizeof(Elf64_Sym);
    for (std::size_t i = 0; i < count; ++i)
        if (auto checked = checkSymbol(*table.bytes.at<Elf64_Sym>(i * sizeof(Elf64_Sym)), i, sections, names);
            !checked)
            return failure(checked.error());
    return count;
}

Status checkRelocations(const Section& table, const Sections& sections, std::size_t symbolTable,
                        std::size_t symbols) {
    if (!isTableOf(table, sizeof(Elf64_Rel)))
        return bad(quoted(table) + " is no table of relocations");
    if (table.header.sh_link != symbolTable || table.header.sh_info == 0 ||
        table.header.sh_info >= sections.size())
        return bad(quoted(table) + " is of a section or of symbols that there are not");
    const auto& target = sections[table.header.sh_info];
    const auto count = table.bytes.size() / sizeof(Elf64_Rel);
    for (std::size_t i = 0; i < count; ++i) {
        const auto relocation = *table.bytes.at<Elf64_Rel>(i * sizeof(Elf64_Rel));
        if (!target.bytes.has(relocation.r_offset, sizeof(std::uint32_t)))
            return bad(quoted(table) + ": relocation " + std::to_string(i) + " lies beyond the end of " +
                       quoted(target));
        if (ELF64_R_SYM(relocation.r_info) >= symbols)
            return bad(quoted(table) + ": relocation " + std::to_string(i) +
                       " is of a symbol that there is not");
    }
    return {};
}

Status checkTables(const Sections& sections) {
    std::size_t symbolTable = 0;
    for (std::size_t i = 1; i < sections.size(); ++i)
        if (sections[i].header.sh_type == SHT_SYMTAB) {
            if (symbolTable != 0)
                return bad("it has several tables of symbols");
            symbolTable = i;
        }
    if (symbolTable == 0)
        return bad("it has no table of symbols");
    const auto symbols = checkSymbols(sections[symbolTable], sections);
    if (!symbols)
        return failure(symbols.error());
    for (const auto& section : sections)
        if (section.header.sh_type == SHT_REL)
            if (auto checked = checkRelocations(section, sections, symbolTable, *symbols); !checked)
                return checked;
    return {};
}

Status checkTypes(const Sections& sections) {
    const auto* types = sectionNamed(sections, ".BTF");
    const auto* ofInstructions = sectionNamed(sections, ".BTF.ext");
    if (types == nullptr)
        return {}; // then the library leaves the other alone, too
    const auto read = object::BtfTypes::read(types->bytes);
    if (!read)
        return failure(read.error());
    return ofInstructions == nullptr ? Status() : checkBtfExt(ofInstructions->bytes, *read);
}

// The library takes the last of several of one name, and we would look at the first.
Status checkNames(const Sections& sections) {
    for (const auto* name : {".BTF", ".BTF.ext", ".maps"})
        if (std::count_if(sections.begin(), sections.end(),
                          [&](const Section& section) { return section.name == name; }) > 1)
            return bad("it has several sections " + std::string(name));
    return {};
}

} // namespace

Status checkObject(std::span<const std::byte> bytes) {
    const auto sections = object::sectionsOf(ByteView(bytes));
    if (!sections)
        return failure(sections.error());
    for (auto* check : {checkNames, checkTables, checkTypes})
        if (auto checked = check(*sections); !checked)
            return checked;
    return {};
}

} // namespace filterd
