// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The sections of an ELF object file, with all that its headers say of them checked.

#include "base/result.hpp"
#include "core/object/byte_view.hpp"

#include <cstddef>
#include <elf.h>
#include <string>
#include <string_view>
#include <vector>

namespace filterd::object {

struct Section {
    Elf64_Shdr header{};
    std::string_view name;
    ByteView bytes; // none where the section takes no room in the file
};

[[nodiscard]] inline auto bad(std::string message) {
    return failure(ErrorCode::InvalidObject, std::move(message));
}

// By their numbers. Errors: InvalidObject.
[[nodiscard]] Result<std::vector<Section>> sectionsOf(ByteView object);

// Null if there is none.
[[nodiscard]] const Section* sectionNamed(const std::vector<Section>& sections, std::string_view name);

} // namespace filterd::object
