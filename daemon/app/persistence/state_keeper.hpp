// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Keeps in the store what only filterd knows (I5).

#include "app/intent/intent.hpp"
#include "ports/ports.hpp"

#include <string>

namespace filterd {

class StateKeeper {
  public:
    explicit StateKeeper(StateStore& store) : store_(store) {}

    // The intent that was saved, of filters that are loaded. BadConfiguration when the text is damaged, or
    // missing though it should be there.
    [[nodiscard]] Result<Intent> restore(const LoadedFilters& loaded, bool mayBeMissing);
    // Saves what has changed. True: isSaved() has changed.
    bool save(const Intent& intent);
    // Somebody else may have removed what was saved: the next save() saves it again.
    void distrust() { saved_.clear(); }
    // False: what is in force could not be saved, and a restart would lose names.
    [[nodiscard]] bool isSaved() const { return isSaved_; }

  private:
    StateStore& store_;
    std::string saved_; // what the store has, as far as we know
    bool isSaved_ = true;
};

} // namespace filterd
