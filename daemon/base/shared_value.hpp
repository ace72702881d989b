// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A value that its copies share until one of them is edited.

#include <memory>
#include <utility>

namespace filterd {

// Belongs to one thread. What a copy refers to stays where it is as long as that copy lives and is not
// edited.
template<typename T>
class SharedValue {
  public:
    SharedValue() : value_(std::make_shared<T>()) {}
    explicit SharedValue(T value) : value_(std::make_shared<T>(std::move(value))) {}

    [[nodiscard]] const T& operator*() const { return *value_; }
    [[nodiscard]] const T* operator->() const { return value_.get(); }
    // The value of this copy alone.
    [[nodiscard]] T& edit() {
        if (value_.use_count() > 1)
            value_ = std::make_shared<T>(*value_);
        return *value_;
    }

  private:
    std::shared_ptr<T> value_;
};

} // namespace filterd
