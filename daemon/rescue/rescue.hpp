// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// filterctl off|on: takes every attachment of ours away and puts it back, without daemon and bus (I8).
//
// While the flag file `off` is in the run directory, the daemon attaches nothing. What was taken away is in
// `off.json` beside it, and its programs are kept alive by pins in the directory `off` of ours on bpffs.
// Both functions can be killed anywhere and run again: every step leaves a state from which either completes.

#include "base/result.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace filterd::rescue {

struct Roots {
    std::filesystem::path pins = "/sys/fs/bpf/filterd";
    std::filesystem::path run = "/run/filterd";
    std::filesystem::path cgroups;        // empty: where cgroup2 is mounted
    std::function<void()> afterStep = {}; // tests stop here

    [[nodiscard]] std::filesystem::path links() const { return pins / "links"; }
    [[nodiscard]] std::filesystem::path guard() const { return pins / "guard"; }
    [[nodiscard]] std::filesystem::path kept() const { return pins / "off"; }
    [[nodiscard]] std::filesystem::path flag() const { return run / "off"; }
    [[nodiscard]] std::filesystem::path record() const { return run / "off.json"; }
    void step() const {
        if (afterStep)
            afterStep();
    }
};

enum class Outcome {
    Removed,  // by off
    Restored, // by on
    Present,  // on: it is there already
    Gone,     // on: its cgroup does not exist any more
    Failed,   // on: see detail; the record keeps it
};

// The outcome for one attachment.
struct Step {
    std::string cgroup;    // its path below the mount point; empty if the cgroup is gone
    std::string direction; // "ingress" or "egress"
    Outcome outcome = Outcome::Removed;
    std::string detail;
};

struct Report {
    std::vector<Step> steps;
    std::size_t guardLinks = 0;        // off: how many links of the guard were removed
    std::vector<std::string> warnings; // what on will not be able to do, and why
};

[[nodiscard]] bool isOff(const Roots& roots);

[[nodiscard]] Result<Report> switchOff(const Roots& roots);

// Returns whether the guard is attached. Only the daemon can attach it.
[[nodiscard]] bool isGuarded(const Roots& roots);

// What cannot be restored stays in the record, but the flag goes: a running daemon attaches it.
[[nodiscard]] Result<Report> switchOn(const Roots& roots);

} // namespace filterd::rescue
