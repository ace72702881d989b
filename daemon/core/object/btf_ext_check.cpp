// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/object/btf_ext_check.hpp"

namespace filterd::object {

namespace {

// As libbpf has it; linux/btf.h does not.
struct Header {
    std::uint16_t magic;
    std::uint8_t version;
    std::uint8_t flags;
    std::uint32_t length;
    std::uint32_t functionsAt, functionsLength;
    std::uint32_t linesAt, linesLength;
};
struct LaterHeader { // only where the header is long enough
    std::uint32_t relocationsAt, relocationsLength;
};
struct Function {
    std::uint32_t instruction, type;
};
struct Line {
    std::uint32_t instruction, file, text, place;
};
struct Relocation {
    std::uint32_t instruction, type, access, kind;
};
struct SectionOfRecords {
    std::uint32_t name, count;
};

constexpr std::uint32_t kInstruction = 8; // bytes

auto badBtfExt(std::string message) {
    return failure(ErrorCode::InvalidObject, ".BTF.ext: " + std::move(message));
}

Status check(const Function& function, const BtfTypes& types) {
    if (types.kindOf(function.type) != BTF_KIND_FUNC)
        return badBtfExt("a function refers to type " + std::to_string(function.type) +
                         ", which is no function");
    return {};
}

Status check(const Line& line, const BtfTypes& types) {
    if (!types.hasText(line.file) || !types.hasText(line.text))
        return badBtfExt("a line of source lies beyond the end of all names");
    return {};
}

Status check(const Relocation& relocation, const BtfTypes& types) {
    if (relocation.type == 0 || !types.has(relocation.type))
        return badBtfExt("a relocation refers to type " + std::to_string(relocation.type) +
                         ", and there are " + std::to_string(types.count() - 1));
    if (!types.hasText(relocation.access))
        return badBtfExt("a relocation has its path beyond the end of all names");
    return {};
}

// The records of one part, section by section.
template<typename Record>
Status checkPart(ByteView part, const BtfTypes& types) {
    if (part.size() == 0)
        return {};
    const auto size = part.at<std::uint32_t>(0);
    if (!size || *size < sizeof(Record) || *size % sizeof(std::uint32_t) != 0)
        return badBtfExt("its records have a wrong size");
    for (std::size_t offset = sizeof *size; offset < part.size();) {
        const auto section = part.at<SectionOfRecords>(offset);
        if (!section || section->count == 0 || !types.hasText(section->name))
            return badBtfExt("it names no section, or one of no records");
        offset += sizeof *section;
        if (!part.has(offset, std::size_t{section->count} * *size))
            return badBtfExt("its records lie beyond its end");
        for (std::uint32_t i = 0; i < section->count; ++i, offset += *size) {
            const auto record = *part.at<Record>(offset);
            if (record.instruction % kInstruction != 0)
                return badBtfExt("a record is of no instruction");
            if (auto checked = check(record, types); !checked)
                return checked;
        }
    }
    return {};
}

template<typename Record>
Status checkPartAt(ByteView body, std::uint32_t offset, std::uint32_t length, const BtfTypes& types) {
    const auto part = body.part(offset, length);
    if (!part || offset % sizeof(std::uint32_t) != 0)
        return badBtfExt("a part of it lies beyond its end");
    return checkPart<Record>(*part, types);
}

} // namespace

Status checkBtfExt(ByteView section, const BtfTypes& types) {
    const auto header = section.at<Header>(0);
    if (!header || header->magic != BTF_MAGIC || header->version != BTF_VERSION)
        return badBtfExt("it does not begin as it should");
    if (header->length < sizeof(Header) || header->length > section.size() ||
        header->length % sizeof(std::uint32_t) != 0)
        return badBtfExt("its header has a wrong length");
    const auto body = *section.part(header->length, section.size() - header->length);
    if (auto checked = checkPartAt<Function>(body, header->functionsAt, header->functionsLength, types);
        !checked)
        return checked;
    if (auto checked = checkPartAt<Line>(body, header->linesAt, header->linesLength, types); !checked)
        return checked;
    if (header->length < sizeof(Header) + sizeof(LaterHeader))
        return {};
    const auto later = *section.at<LaterHeader>(sizeof(Header));
    return checkPartAt<Relocation>(body, later.relocationsAt, later.relocationsLength, types);
}

} // namespace filterd::object
