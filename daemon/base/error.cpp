// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/error.hpp"

#include <system_error>

namespace filterd {

std::string_view errorName(ErrorCode code) {
    switch (code) {
#define FILTERD_ERROR(name, meaning)                                                                         \
    case ErrorCode::name:                                                                                    \
        return #name;
#include "base/errors.def"
#undef FILTERD_ERROR
    }
    return "Internal";
}

Error systemError(std::string_view what, int errnum) {
    return {ErrorCode::KernelRefused, std::string(what) + ": " + std::generic_category().message(errnum)};
}

} // namespace filterd
