// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// filterd-bench-load OBJECT RECORDS: a process that loads one object and ends, with what that needs.

#include "measure.hpp"

int main(int argumentCount, char** arguments) {
    if (argumentCount != 3)
        return 2;
    filterd::bench::Daemon daemon(arguments[2]);
    static_cast<void>(daemon.load("loaded", arguments[1]));
}
