// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The closed list of what can go wrong, and how an error gains context on its way up.

#include <string>
#include <string_view>
#include <utility>

namespace filterd {

// Each code is one D-Bus error name, org.filterd1.Error.<name>; see errorName().
enum class ErrorCode {
    InvalidName,      // a filter, unit or pattern name outside its alphabet or length
    InvalidArgument,  // a call's argument or option that makes no sense
    InvalidObject,    // not a BPF object: bad ELF, no program, undefined symbol, too large
    NoSuchProgram,    // the object holds no program of that name, or several and none was chosen
    WrongProgramType, // the program cannot be a cgroup_skb program
    WrongDirection,   // an ingress program used for egress, or the reverse
    VerifierRejected, // the kernel's verifier refused it; the message ends with the log's end
    FilterNameTaken,  // other content is loaded under this name
    NoSuchFilter,     // no filter of this name is loaded
    FilterInUse,      // others still hold a reference; the message names them
    NoSuchReference,  // the caller does not hold what it wants to release
    NoSuchUnit,       // systemd and the cgroup tree know no such unit
    NoSuchRule,       // no rule was set on the bus for this unit or pattern
    NoSuchParameter,  // the filter has no parameter or map of that name
    NoSuchEntry,      // the map has no entry of that key
    NoSuchCgroup,     // the cgroup does not exist (any more)
    BadConfiguration, // a configuration file is broken; the message names file and line
    BpffsMissing,     // no BPF file system where the pins belong
    LimitExceeded,    // a limit of filterd or of the kernel
    Unsupported,      // this kernel or build cannot do it
    KernelRefused,    // a system call failed; the message names it and errno
    AccessDenied,     // the caller may not do this
    InteractiveAuthorizationRequired, // polkit wants a password, and the caller did not allow to be asked
    Internal,                         // a bug in filterd
};

[[nodiscard]] std::string_view errorName(ErrorCode code);

struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string message;   // one sentence: the thing, the place, the way out
    std::string item = {}; // which part of a request it is about: a parameter's name, a rule's number

    [[nodiscard]] Error context(std::string_view where) const {
        return {code, std::string(where) + ": " + message, item};
    }
    [[nodiscard]] Error about(std::string part) const { return {code, message, std::move(part)}; }
};

// KernelRefused with "what: strerror(errnum)".
[[nodiscard]] Error systemError(std::string_view what, int errnum);

} // namespace filterd
