// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// What is slow, or handles bytes that nobody trusts, on the way to a program: it can be done at once, or by a
// process of its own while the daemon goes on.

#include "edge/bpf/filters/filter_inspection.hpp"
#include "edge/bpf/programs/program_loader.hpp"
#include "ports/ports.hpp"

#include <any>
#include <functional>
#include <string>

namespace filterd::bpf {

struct MadeFilter {
    FilterProgram program;
    Inspection inspection;
};

class ProgramWorks {
  public:
    virtual ~ProgramWorks() = default;

    // `identity`: within one call, the same for the same request. Errors: as of ObjectIntake::load().
    [[nodiscard]] virtual Result<MadeFilter> makeFilter(const ObjectRequest& request, int counterMap,
                                                        const std::string& identity = {}) = 0;
    // Errors: as of ProgramLoader::load().
    [[nodiscard]] virtual Result<UniqueFd> verify(const ProgramText& text) = 0;

    // Returns what `make` makes: the same again, by its name, as long as what failed for being unfinished is
    // tried again. A program is found again only if its maps are the same.
    [[nodiscard]] virtual Result<UniqueFd> kept(const std::string& name,
                                                const std::function<Result<UniqueFd>()>& make) {
        static_cast<void>(name);
        return make();
    }
    // Returns whether a call of this attempt has failed only because its work is not finished yet.
    [[nodiscard]] virtual bool isWaiting() const { return false; }
    // From now on this attempt waits for its work.
    virtual void hurry() {}
    virtual void hurryNoMore() {}
    // Returns whether the attempt has had its time: then it is made again when others have had theirs.
    [[nodiscard]] virtual bool pause() { return false; }
    // What an attempt leaves, by a name, to the next one of the same call, with which it ends; null where
    // there is none.
    [[nodiscard]] virtual std::any* left(const std::string& name) {
        static_cast<void>(name);
        return nullptr;
    }
};

// The error of what is not finished yet.
[[nodiscard]] inline tl::unexpected<Error> unfinished() {
    return failure(ErrorCode::Internal, "its programs are not verified yet");
}

} // namespace filterd::bpf
