// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/error.hpp"

#include <system_error>

namespace filterd {

std::string_view errorName(ErrorCode code) {
    switch (code) {
    case ErrorCode::InvalidName:
        return "InvalidName";
    case ErrorCode::InvalidArgument:
        return "InvalidArgument";
    case ErrorCode::InvalidObject:
        return "InvalidObject";
    case ErrorCode::NoSuchProgram:
        return "NoSuchProgram";
    case ErrorCode::WrongProgramType:
        return "WrongProgramType";
    case ErrorCode::WrongDirection:
        return "WrongDirection";
    case ErrorCode::VerifierRejected:
        return "VerifierRejected";
    case ErrorCode::FilterNameTaken:
        return "FilterNameTaken";
    case ErrorCode::NoSuchFilter:
        return "NoSuchFilter";
    case ErrorCode::FilterInUse:
        return "FilterInUse";
    case ErrorCode::NoSuchReference:
        return "NoSuchReference";
    case ErrorCode::NoSuchUnit:
        return "NoSuchUnit";
    case ErrorCode::NoSuchRule:
        return "NoSuchRule";
    case ErrorCode::NoSuchParameter:
        return "NoSuchParameter";
    case ErrorCode::NoSuchEntry:
        return "NoSuchEntry";
    case ErrorCode::NoSuchCgroup:
        return "NoSuchCgroup";
    case ErrorCode::BadConfiguration:
        return "BadConfiguration";
    case ErrorCode::BpffsMissing:
        return "BpffsMissing";
    case ErrorCode::LimitExceeded:
        return "LimitExceeded";
    case ErrorCode::Unsupported:
        return "Unsupported";
    case ErrorCode::KernelRefused:
        return "KernelRefused";
    case ErrorCode::AccessDenied:
        return "AccessDenied";
    case ErrorCode::InteractiveAuthorizationRequired:
        return "InteractiveAuthorizationRequired";
    case ErrorCode::Internal:
        return "Internal";
    }
    return "Internal";
}

Error systemError(std::string_view what, int errnum) {
    return {ErrorCode::KernelRefused, std::string(what) + ": " + std::generic_category().message(errnum)};
}

} // namespace filterd
