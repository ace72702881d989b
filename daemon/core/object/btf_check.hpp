// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Type information (BTF) of an object: every type, name and member leads to where it may lead, and nothing
// contains itself.

#include "base/result.hpp"
#include "core/object/byte_view.hpp"

#include <cstddef>
#include <cstdint>
#include <linux/btf.h>
#include <string>
#include <vector>

namespace filterd::object {

// The types of a section .BTF, by their ids. 0 is void and has no record.
class BtfTypes {
  public:
    // InvalidObject.
    [[nodiscard]] static Result<BtfTypes> read(ByteView section);

    [[nodiscard]] bool has(std::uint32_t id) const { return id < records_.size(); }
    [[nodiscard]] std::uint32_t kindOf(std::uint32_t id) const;
    [[nodiscard]] bool hasText(std::uint32_t offset) const { return strings_.textAt(offset).has_value(); }
    [[nodiscard]] std::size_t count() const { return records_.size(); }

  private:
    friend class BtfCheck;

    [[nodiscard]] Status readHeader(ByteView section);
    [[nodiscard]] Status readRecords();

    ByteView types_;
    ByteView strings_;
    std::vector<std::size_t> records_; // where each type's record begins
};

} // namespace filterd::object
