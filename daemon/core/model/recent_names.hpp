// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Names of what is gone, for those who still speak of it. The oldest are forgotten.

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace filterd {

template<typename Key>
class RecentNames {
  public:
    static constexpr std::size_t kMost = 1024;

    void note(const Key& key, const std::string& name) {
        if (!names_.insert_or_assign(key, name).second)
            return;
        order_.push_back(key);
        if (order_.size() > kMost) {
            names_.erase(order_.front());
            order_.pop_front();
        }
    }
    // Null if it is not known, or not any more.
    [[nodiscard]] const std::string* find(const Key& key) const {
        const auto found = names_.find(key);
        return found == names_.end() ? nullptr : &found->second;
    }

  private:
    std::map<Key, std::string> names_;
    std::deque<Key> order_;
};

} // namespace filterd
