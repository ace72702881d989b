// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/object/btf_check.hpp"

#include <algorithm>
#include <optional>

namespace filterd::object {

namespace {

constexpr std::size_t kMaxDepth = 64;
// Limits members within members: real types have thousands. Whoever follows each of them must come to an end.
constexpr std::uint64_t kMaxWeight = std::uint64_t{1} << 20;

auto badBtf(std::string message) { return failure(ErrorCode::InvalidObject, ".BTF: " + std::move(message)); }

std::string typed(std::uint32_t id) { return "type " + std::to_string(id); }

struct Record {
    btf_type type{};
    std::uint32_t kind = BTF_KIND_UNKN;
    std::uint32_t count = 0; // of what follows it
    std::size_t first = 0;   // where that begins
};

Record recordAt(ByteView types, std::size_t offset) {
    Record record;
    record.type = types.at<btf_type>(offset).value_or(btf_type{});
    record.kind = BTF_INFO_KIND(record.type.info);
    record.count = BTF_INFO_VLEN(record.type.info);
    record.first = offset + sizeof(btf_type);
    return record;
}

// Returns how many bytes follow a type's record; nothing if there is no such kind.
std::optional<std::size_t> sizeAfter(const Record& record) {
    switch (record.kind) {
    case BTF_KIND_INT:
        return sizeof(std::uint32_t);
    case BTF_KIND_ARRAY:
        return sizeof(btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        return record.count * sizeof(btf_member);
    case BTF_KIND_ENUM:
        return record.count * sizeof(btf_enum);
    case BTF_KIND_ENUM64:
        return record.count * sizeof(btf_enum64);
    case BTF_KIND_FUNC_PROTO:
        return record.count * sizeof(btf_param);
    case BTF_KIND_VAR:
        return sizeof(btf_var);
    case BTF_KIND_DATASEC:
        return record.count * sizeof(btf_var_secinfo);
    case BTF_KIND_DECL_TAG:
        return sizeof(btf_decl_tag);
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG:
        return 0;
    default:
        return std::nullopt;
    }
}

// Another name for the type that it refers to, or that type with a word before it.
bool isOneOfItsType(std::uint32_t kind) {
    return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_VOLATILE || kind == BTF_KIND_CONST ||
           kind == BTF_KIND_RESTRICT || kind == BTF_KIND_TYPE_TAG;
}

bool isPower(std::uint32_t size, std::uint32_t largest) {
    return size > 0 && size <= largest && (size & (size - 1)) == 0;
}

} // namespace

// ---- records --------------------------------------------------------------------------------------------

Status BtfTypes::readHeader(ByteView section) {
    const auto header = section.at<btf_header>(0);
    if (!header || header->magic != BTF_MAGIC || header->version != BTF_VERSION)
        return badBtf("it does not begin as type information does");
    if (header->hdr_len < sizeof(btf_header) || header->hdr_len > section.size())
        return badBtf("its header has a wrong length");
    const auto body = section.part(header->hdr_len, section.size() - header->hdr_len);
    const auto types = body->part(header->type_off, header->type_len);
    const auto strings = body->part(header->str_off, header->str_len);
    if (!types || header->type_off % alignof(btf_type) != 0)
        return badBtf("its types lie beyond its end");
    if (!strings || strings->at<char>(0) != '\0' || strings->at<char>(strings->size() - 1) != '\0')
        return badBtf("its names lie beyond its end, or do not begin and end with a zero");
    types_ = *types;
    strings_ = *strings;
    return {};
}

Status BtfTypes::readRecords() {
    records_.push_back(0);
    for (std::size_t offset = 0; offset < types_.size();) {
        const auto id = static_cast<std::uint32_t>(records_.size());
        if (!types_.has(offset, sizeof(btf_type)))
            return badBtf(typed(id) + " lies beyond the end of all types");
        const auto record = recordAt(types_, offset);
        const auto after = sizeAfter(record);
        if (!after)
            return badBtf(typed(id) + " is of the unknown kind " + std::to_string(record.kind));
        if (!types_.has(record.first, *after))
            return badBtf(typed(id) + " lies beyond the end of all types");
        records_.push_back(offset);
        offset = record.first + *after;
    }
    return {};
}

std::uint32_t BtfTypes::kindOf(std::uint32_t id) const {
    constexpr std::uint32_t kNone = BTF_KIND_UNKN;
    return id == 0 || !has(id) ? kNone : recordAt(types_, records_[id]).kind;
}

// ---- what they refer to ---------------------------------------------------------------------------------

class BtfCheck {
  public:
    explicit BtfCheck(const BtfTypes& types) : types_(types), weights_(types.count(), 0) {}

    Status checkAll() {
        for (std::uint32_t id = 1; id < types_.count(); ++id) {
            const auto record = recordAt(types_.types_, types_.records_[id]);
            if (!types_.hasText(record.type.name_off))
                return badBtf(typed(id) + " has its name beyond the end of all names");
            if (auto checked = check(id, record); !checked)
                return checked;
        }
        for (std::uint32_t id = 1; id < types_.count(); ++id)
            if (const auto weight = weigh(id, 0); !weight)
                return failure(weight.error());
        return {};
    }

  private:
    template<typename Item>
    [[nodiscard]] Item item(const Record& record, std::size_t index = 0) const {
        return types_.types_.at<Item>(record.first + index * sizeof(Item)).value_or(Item{});
    }

    // Variables, functions, sections and tags are no types of values.
    [[nodiscard]] bool isValue(std::uint32_t id) const {
        const auto kind = types_.kindOf(id);
        return id != 0 && types_.has(id) && kind != BTF_KIND_VAR && kind != BTF_KIND_FUNC &&
               kind != BTF_KIND_DATASEC && kind != BTF_KIND_DECL_TAG;
    }
    [[nodiscard]] bool isValueOrVoid(std::uint32_t id) const { return id == 0 || isValue(id); }

    Status refers(std::uint32_t id, std::uint32_t to, bool isRight) const {
        if (!types_.has(to))
            return badBtf(typed(id) + " refers to " + typed(to) + ", and there are " +
                          std::to_string(types_.count() - 1));
        if (!isRight)
            return badBtf(typed(id) + " refers to " + typed(to) + ", which is of the wrong kind");
        return {};
    }
    Status names(std::uint32_t id, std::uint32_t offset) const {
        if (!types_.hasText(offset))
            return badBtf(typed(id) + " has a member with its name beyond the end of all names");
        return {};
    }
    static Status sized(std::uint32_t id, bool isRight) {
        if (!isRight)
            return badBtf(typed(id) + " has a size that its kind cannot have");
        return {};
    }

    Status check(std::uint32_t id, const Record& record) const {
        const auto to = record.type.type;
        switch (record.kind) {
        case BTF_KIND_INT:
            return checkInteger(id, record);
        case BTF_KIND_FLOAT:
            return sized(id, isPower(record.type.size, 16) || record.type.size == 12);
        case BTF_KIND_ARRAY:
            return checkArray(id, record);
        case BTF_KIND_STRUCT:
        case BTF_KIND_UNION:
            return checkMembers(id, record);
        case BTF_KIND_ENUM:
        case BTF_KIND_ENUM64:
            return checkEnumerators(id, record);
        case BTF_KIND_FUNC:
            return refers(id, to, types_.kindOf(to) == BTF_KIND_FUNC_PROTO);
        case BTF_KIND_FUNC_PROTO:
            return checkFunction(id, record);
        case BTF_KIND_VAR:
            return refers(id, to, isValueOrVoid(to)); // an extern may be void
        case BTF_KIND_DATASEC:
            return checkSection(id, record);
        case BTF_KIND_DECL_TAG:
            return checkTag(id, record);
        case BTF_KIND_FWD:
            return {};
        default: // a pointer, another name, or a word before a type
            return refers(id, to, isValueOrVoid(to));
        }
    }

    Status checkInteger(std::uint32_t id, const Record& record) const {
        const auto facts = item<std::uint32_t>(record);
        const std::uint64_t bits = std::uint64_t{BTF_INT_BITS(facts)} + BTF_INT_OFFSET(facts);
        return sized(id, isPower(record.type.size, 16) && bits <= std::uint64_t{record.type.size} * 8);
    }

    Status checkArray(std::uint32_t id, const Record& record) const {
        const auto facts = item<btf_array>(record);
        if (auto right = refers(id, facts.type, isValue(facts.type)); !right)
            return right;
        return refers(id, facts.index_type, isValue(facts.index_type));
    }

    Status checkMembers(std::uint32_t id, const Record& record) const {
        const bool hasBitfields = BTF_INFO_KFLAG(record.type.info) != 0;
        for (std::size_t i = 0; i < record.count; ++i) {
            const auto member = item<btf_member>(record, i);
            const auto offset = hasBitfields ? BTF_MEMBER_BIT_OFFSET(member.offset) : member.offset;
            if (auto named = names(id, member.name_off); !named)
                return named;
            if (auto right = refers(id, member.type, isValue(member.type)); !right)
                return right;
            if (offset / 8 > record.type.size)
                return badBtf(typed(id) + " has a member beyond its end");
        }
        return {};
    }

    Status checkEnumerators(std::uint32_t id, const Record& record) const {
        for (std::size_t i = 0; i < record.count; ++i)
            if (auto named = names(id, record.kind == BTF_KIND_ENUM ? item<btf_enum>(record, i).name_off
                                                                    : item<btf_enum64>(record, i).name_off);
                !named)
                return named;
        return sized(id, isPower(record.type.size, 8));
    }

    Status checkFunction(std::uint32_t id, const Record& record) const {
        for (std::size_t i = 0; i < record.count; ++i) {
            const auto parameter = item<btf_param>(record, i);
            if (auto named = names(id, parameter.name_off); !named)
                return named;
            if (auto right = refers(id, parameter.type, isValueOrVoid(parameter.type)); !right)
                return right;
        }
        return refers(id, record.type.type, isValueOrVoid(record.type.type));
    }

    Status checkSection(std::uint32_t id, const Record& record) const {
        for (std::size_t i = 0; i < record.count; ++i) {
            const auto place = item<btf_var_secinfo>(record, i);
            const auto kind = types_.kindOf(place.type);
            if (auto right = refers(id, place.type, kind == BTF_KIND_VAR || kind == BTF_KIND_FUNC); !right)
                return right;
        }
        return {};
    }

    Status checkTag(std::uint32_t id, const Record& record) const {
        const auto to = record.type.type;
        const auto kind = types_.kindOf(to);
        const bool isTaggable = kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_VAR ||
                                kind == BTF_KIND_FUNC || kind == BTF_KIND_TYPEDEF;
        return refers(id, to, isTaggable);
    }

    // Returns how many types are seen by who follows everything that is part of this one.
    Result<std::uint64_t> weigh(std::uint32_t id, std::size_t depth) {
        constexpr std::uint64_t kOpen = UINT64_MAX;
        if (id == 0)
            return std::uint64_t{1};
        if (weights_[id] == kOpen)
            return badBtf(typed(id) + " is a part of itself");
        if (weights_[id] != 0)
            return weights_[id];
        if (depth > kMaxDepth)
            return badBtf(typed(id) + " is nested too deeply");
        weights_[id] = kOpen;
        std::uint64_t weight = 1;
        for (const auto part : partsOf(id)) {
            auto its = weigh(part, depth + 1);
            if (!its)
                return its;
            weight += *its;
            if (weight > kMaxWeight)
                return badBtf(typed(id) + " has too many parts");
        }
        weights_[id] = weight;
        return weight;
    }

    [[nodiscard]] std::vector<std::uint32_t> partsOf(std::uint32_t id) const {
        const auto record = recordAt(types_.types_, types_.records_[id]);
        std::vector<std::uint32_t> parts;
        if (isOneOfItsType(record.kind) || record.kind == BTF_KIND_VAR)
            parts.push_back(record.type.type);
        else if (record.kind == BTF_KIND_ARRAY)
            parts = {item<btf_array>(record).type, item<btf_array>(record).index_type};
        else if (record.kind == BTF_KIND_STRUCT || record.kind == BTF_KIND_UNION)
            for (std::size_t i = 0; i < record.count; ++i)
                parts.push_back(item<btf_member>(record, i).type);
        return parts;
    }

    const BtfTypes& types_;
    std::vector<std::uint64_t> weights_; // 0: not known yet
};

Result<BtfTypes> BtfTypes::read(ByteView section) {
    BtfTypes types;
    if (auto read = types.readHeader(section); !read)
        return failure(read.error());
    if (auto read = types.readRecords(); !read)
        return failure(read.error());
    if (auto checked = BtfCheck(types).checkAll(); !checked)
        return failure(checked.error());
    return types;
}

} // namespace filterd::object
