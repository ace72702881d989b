// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The filters that files define: loaded when a rule needs what a file defines, and replaced when their file
// changes.

#include "app/filters/load_request.hpp"
#include "app/intent/user_rules.hpp"
#include "core/config/configuration.hpp"

#include <functional>
#include <string>
#include <vector>

namespace filterd {

// The file on the disk that would define a filter now; empty if there is none.
using FileFinder = std::function<std::string(const FilterName&)>;

class FileFilters {
  public:
    FileFilters(FilterKernel& kernel, Enforcement& inForce, CrashMemory& crashes, FileFinder find,
                UserExists userExists)
        : kernel_(kernel), inForce_(inForce), crashes_(crashes), find_(std::move(find)),
          userExists_(std::move(userExists)) {}

    // Brings into force what needs no work: units that start are held, or pass, as their rules' OnFailure=
    // says, until load() has brought the filters that this returns, and loadChanged() those that are loaded
    // and that their files have changed.
    [[nodiscard]] std::vector<FilterName> arm(const Configuration& configuration);
    // An error only where the kernel waits: to be called again. What has ended the daemon is not loaded.
    [[nodiscard]] Status load(const FilterName& name);
    [[nodiscard]] Status loadChanged();

    // Brings into force what the files say now, as far as it can be; errors() tell of the rest.
    // An error only where the kernel waits: to be called again.
    [[nodiscard]] Status follow(const Configuration& configuration);
    // The same, after a look at the pins.
    [[nodiscard]] Status configure(const Configuration& configuration);
    // Somebody else has removed pins of ours, with what they held in the kernel: it is made again.
    [[nodiscard]] Status pinsRemoved();

    // Edit the intent: a filter that is not loaded is loaded from its file.
    [[nodiscard]] Status loadDefined(Intent& next, const FilterName& name);
    // The same for a caller, who is told of a file that is not read yet.
    [[nodiscard]] Status loadWanted(Intent& next, const FilterName& name);
    // Returns whether other content, which a call has loaded, stands in the place of what files define, and
    // somebody misses that.
    [[nodiscard]] bool isDisplaced(const FilterName& name) const;
    // Gives a filter that was loaded by a call the content that its file defines, in every queue in one step,
    // and drops the reference of that call. All or nothing.
    [[nodiscard]] Status putBack(const FilterName& name);
    // Why a name that no file defines is not defined: of a file that was written after the files were read
    // last, that is told.
    [[nodiscard]] Error undefined(const FilterName& name) const;

    // Each as FILE:LINE: REASON, of filters that a file defines but that are not loaded as it says, and of
    // filters that cannot stand where a file has them.
    [[nodiscard]] std::vector<std::string> errors() const;
    // Each as FILE:LINE: REASON, of what files define and is not in force, since somebody has loaded other
    // content of that name.
    [[nodiscard]] std::vector<std::string> supplanted() const;

  private:
    [[nodiscard]] Result<LoadedFilter> loadContent(const Intent& next,
                                                   const FilterSources::Definition& definition);
    [[nodiscard]] Result<LoadedFilter> loadGuarded(const Intent& next,
                                                   const FilterSources::Definition& definition);
    void forgive();
    [[nodiscard]] Status lookOnce();
    [[nodiscard]] Result<LoadedFilter> loadAnew(const Intent& next, const FilterDefinition& definition);
    void takeFiles(Intent& next, const Configuration& configuration) const;
    void loadNeeded(Intent& next);
    [[nodiscard]] std::vector<LoadedFilter> loadChangedIn(Intent& next);
    [[nodiscard]] Status discard(Intent next, std::vector<LoadedFilter> changed = {});
    [[nodiscard]] Status bring(Intent next, std::vector<LoadedFilter> changed);
    [[nodiscard]] Status replaceIn(Intent next, const std::vector<LoadedFilter>& filters);
    [[nodiscard]] Status replaceEach(Intent next, const std::vector<LoadedFilter>& changed);

    FilterKernel& kernel_;
    Enforcement& inForce_;
    CrashMemory& crashes_;
    FileFinder find_;
    UserExists userExists_;
};

} // namespace filterd
