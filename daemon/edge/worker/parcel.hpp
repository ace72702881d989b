// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Bytes and descriptors that go from one process to another over a socket.

#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace filterd::worker {

// The kernel passes 253 descriptors at once, of which one is for the bytes.
inline constexpr std::size_t kMaxDescriptors = 252;
// An object of 16 MiB, or the instructions of the largest program, and what is said about them.
inline constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

struct Parcel {
    std::vector<std::uint8_t> bytes;
    std::vector<int> fds; // not owned
};

struct Delivery {
    std::vector<std::uint8_t> bytes;
    std::vector<UniqueFd> fds;
};

// Returns a delivery of the same bytes and descriptors.
[[nodiscard]] Result<Delivery> copyOf(const Parcel& parcel);
[[nodiscard]] Parcel viewOf(const Delivery& delivery);

// Errors: LimitExceeded for too many descriptors or bytes, KernelRefused when the other end is gone.
[[nodiscard]] Status send(int socket, const Parcel& parcel);
// Waits for one. Errors: KernelRefused when the other end is gone, InvalidArgument for what is no parcel.
[[nodiscard]] Result<Delivery> receive(int socket);

} // namespace filterd::worker
