// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/intake/btf_types.hpp"

#include "core/value/address.hpp"
#include "edge/bpf/programs/verifier_log.hpp"

#include <algorithm>
#include <linux/bpf.h>
#include <string_view>

namespace filterd::bpf {

namespace {

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxTypes = 4096; // in one description: an object may nest as it likes
constexpr std::uint32_t kMaxSize = 16U << 20;

std::string nameAt(const btf* types, __u32 offset) {
    const char* name = ::btf__name_by_offset(types, offset);
    return name == nullptr ? "" : printable(name);
}

bool isIntegerSize(std::uint32_t size) { return size == 1 || size == 2 || size == 4 || size == 8; }

ValueType opaque(std::uint32_t size) {
    ValueType type;
    type.size = size;
    return type;
}

// Describes one type; remembers how large the description has become.
class Describer {
  public:
    explicit Describer(const btf* types) : types_(types) {}

    ValueType describe(__u32 id, int depth) {
        const auto found = unqualified(types_, id);
        const auto size = ::btf__resolve_size(types_, id);
        const auto bytes = size < 0 || size > kMaxSize ? 0 : static_cast<std::uint32_t>(size);
        if (found.type == nullptr || bytes == 0 || depth > kMaxDepth || ++described_ > kMaxTypes)
            return opaque(bytes);
        auto type = describeKind(found, bytes, depth);
        if (type.name.empty())
            type.name = nameAt(types_, found.type->name_off);
        return type;
    }

  private:
    ValueType describeKind(const Unqualified& found, std::uint32_t size, int depth) {
        switch (::btf_kind(found.type)) {
        case BTF_KIND_INT:
            return integer(found, size);
        case BTF_KIND_ENUM:
        case BTF_KIND_ENUM64:
            return enumeration(found.type, size);
        case BTF_KIND_ARRAY:
            return array(found.type, size, depth);
        case BTF_KIND_STRUCT:
            return structure(found.type, size, depth);
        default:
            return opaque(size);
        }
    }

    static ValueType integer(const Unqualified& found, std::uint32_t size) {
        auto type = opaque(size);
        if (!isIntegerSize(size))
            return type;
        const auto encoding = ::btf_int_encoding(found.type);
        type.kind = (encoding & BTF_INT_BOOL) != 0 ? ValueKind::Boolean : ValueKind::Integer;
        type.isSigned = (encoding & BTF_INT_SIGNED) != 0;
        type.bigEndian = found.bigEndian;
        return type;
    }

    ValueType enumeration(const btf_type* found, std::uint32_t size) {
        auto type = opaque(size);
        if (!isIntegerSize(size) || ::btf_vlen(found) == 0)
            return type;
        type.kind = ValueKind::Enumeration;
        const bool wide = ::btf_kind(found) == BTF_KIND_ENUM64;
        for (__u16 i = 0; i < ::btf_vlen(found); ++i)
            if (wide) {
                const auto& one = ::btf_enum64(found)[i];
                type.enumerators.emplace_back(nameAt(types_, one.name_off),
                                              static_cast<std::int64_t>(::btf_enum64_value(&one)));
            } else {
                const auto& one = ::btf_enum(found)[i];
                type.enumerators.emplace_back(nameAt(types_, one.name_off), one.val);
            }
        type.isSigned = std::any_of(type.enumerators.begin(), type.enumerators.end(),
                                    [](const auto& one) { return one.second < 0; });
        return type;
    }

    ValueType array(const btf_type* found, std::uint32_t size, int depth) {
        const auto* facts = ::btf_array(found);
        auto type = opaque(size);
        const auto element = unqualified(types_, facts->type);
        if (element.type != nullptr && ::btf_is_int(element.type) && element.type->size == 1 &&
            nameAt(types_, element.type->name_off) == "char") {
            type.kind = ValueKind::Text;
            return type;
        }
        auto item = describe(facts->type, depth + 1);
        if (item.size == 0 || facts->nelems == 0 || std::uint64_t{item.size} * facts->nelems != size)
            return type;
        type.kind = ValueKind::Array;
        type.count = facts->nelems;
        type.elements.push_back({"", 0, std::move(item)});
        return type;
    }

    ValueType structure(const btf_type* found, std::uint32_t size, int depth) {
        auto type = opaque(size);
        type.name = "struct " + nameAt(types_, found->name_off);
        if ((type.name == "struct in_addr" && size == kAddress4) ||
            (type.name == "struct in6_addr" && size == kAddress6)) {
            type.kind = ValueKind::Address;
            return type;
        }
        if (type.name == "struct port_set" && size == kPortSetSize) {
            type.kind = ValueKind::PortSet;
            return type;
        }
        for (__u16 i = 0; i < ::btf_vlen(found); ++i) {
            const auto bit = ::btf_member_bit_offset(found, i);
            auto member = describe(::btf_members(found)[i].type, depth + 1);
            const bool fits = bit % 8 == 0 && ::btf_member_bitfield_size(found, i) == 0 &&
                              std::uint64_t{bit} / 8 + member.size <= size;
            if (!fits)
                return opaque(size);
            type.elements.push_back(
                {nameAt(types_, ::btf_members(found)[i].name_off), bit / 8, std::move(member)});
        }
        type.kind = type.elements.empty() ? ValueKind::Opaque : ValueKind::Structure;
        return type;
    }

    const btf* types_;
    std::size_t described_ = 0;
};

bool isAddressSize(std::size_t size) { return size == kAddress4 || size == kAddress6; }

} // namespace

Unqualified unqualified(const btf* types, __u32 id) {
    Unqualified found;
    for (int depth = 0; depth < kMaxDepth; ++depth) {
        const btf_type* type = ::btf__type_by_id(types, id);
        if (type == nullptr)
            return {};
        const auto kind = ::btf_kind(type);
        found.isVolatile |= kind == BTF_KIND_VOLATILE;
        if (kind == BTF_KIND_TYPEDEF)
            found.bigEndian |= nameAt(types, type->name_off).starts_with("__be");
        if (kind == BTF_KIND_ARRAY)
            found.isVolatile |= unqualified(types, ::btf_array(type)->type).isVolatile;
        if (!::btf_is_mod(type) && kind != BTF_KIND_TYPEDEF) {
            found.type = type;
            return found;
        }
        id = type->type;
    }
    return {};
}

ValueType describeType(const btf* types, __u32 id) { return Describer(types).describe(id, 0); }

ValueType plainType(std::uint32_t size) {
    auto type = opaque(size);
    if (isIntegerSize(size))
        type.kind = ValueKind::Integer;
    return type;
}

ValueType describeKey(const btf* types, __u32 id, std::uint32_t mapType, std::uint32_t size) {
    auto type = types != nullptr && id != 0 ? describeType(types, id) : plainType(size);
    if (mapType != BPF_MAP_TYPE_LPM_TRIE || size <= kPrefixHeader)
        return type;
    const bool split = type.kind == ValueKind::Structure && type.elements.size() == 2;
    if (type.name == "struct domain_suffix")
        type.kind = ValueKind::DomainSuffix;
    else if (split && type.elements[1].type.kind == ValueKind::Text)
        type.kind = ValueKind::TextPrefix;
    else if (isAddressSize(size - kPrefixHeader))
        type.kind = ValueKind::Prefix;
    else
        return type;
    type.elements.clear();
    return type;
}

} // namespace filterd::bpf
