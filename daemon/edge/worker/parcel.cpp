// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/worker/parcel.hpp"

#include "kernel/bpf_calls.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace filterd::worker {

namespace {

constexpr std::size_t kControlSize = CMSG_SPACE((kMaxDescriptors + 1) * sizeof(int));

// A message of one byte, with room for descriptors.
struct Envelope {
    Envelope() {
        message.msg_iov = &data;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
    }
    Envelope(const Envelope&) = delete;
    Envelope& operator=(const Envelope&) = delete;
    ~Envelope() = default;

    char one = 0;
    iovec data{&one, sizeof one};
    alignas(cmsghdr) std::array<char, kControlSize> control{};
    msghdr message{};
};

// The bytes do not go through the socket: its buffer is small, and a reader that is slow would stop the
// writer.
Result<UniqueFd> fileOf(const std::vector<std::uint8_t>& bytes) {
    UniqueFd file(::memfd_create("filterd-parcel", MFD_CLOEXEC));
    if (!file)
        return failure(systemError("make a parcel", errno));
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto wrote =
            ::pwrite(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return failure(systemError("fill a parcel", errno));
        done += static_cast<std::size_t>(wrote);
    }
    return file;
}

Result<std::vector<std::uint8_t>> bytesOf(int file) {
    struct stat info {};
    if (::fstat(file, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size < 0 ||
        static_cast<std::size_t>(info.st_size) > kMaxBytes)
        return failure(ErrorCode::InvalidArgument, "a worker sent what is no parcel");
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(info.st_size));
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto got = ::pread(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return failure(ErrorCode::InvalidArgument, "a worker sent a parcel that ends too early");
        done += static_cast<std::size_t>(got);
    }
    return bytes;
}

std::vector<UniqueFd> descriptorsOf(msghdr& message) {
    std::vector<UniqueFd> fds;
    for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
            fds.emplace_back(fd);
        }
    }
    return fds;
}

} // namespace

Result<Delivery> copyOf(const Parcel& parcel) {
    Delivery copy{parcel.bytes, {}};
    for (const int fd : parcel.fds) {
        auto own = bpf::duplicate(fd);
        if (!own)
            return failure(own.error());
        copy.fds.push_back(std::move(*own));
    }
    return copy;
}

Parcel viewOf(const Delivery& delivery) {
    Parcel view{delivery.bytes, {}};
    for (const auto& fd : delivery.fds)
        view.fds.push_back(fd.get());
    return view;
}

Status send(int socket, const Parcel& parcel) {
    if (parcel.fds.size() > kMaxDescriptors)
        return failure(ErrorCode::LimitExceeded,
                       "it has more than " + std::to_string(kMaxDescriptors - 1) + " maps");
    if (parcel.bytes.size() > kMaxBytes)
        return failure(ErrorCode::LimitExceeded, "it is too large to be verified");
    const auto file = fileOf(parcel.bytes);
    if (!file)
        return failure(file.error());
    std::vector<int> fds{file->get()};
    fds.insert(fds.end(), parcel.fds.begin(), parcel.fds.end());
    Envelope envelope;
    auto& message = envelope.message;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
    while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return failure(systemError("send a parcel", errno));
    return {};
}

Result<Delivery> receive(int socket) {
    Envelope envelope;
    auto& message = envelope.message;
    ssize_t got = -1;
    while ((got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
    }
    if (got <= 0)
        return failure(systemError("receive a parcel", got == 0 ? EPIPE : errno));
    auto fds = descriptorsOf(message);
    if ((message.msg_flags & MSG_CTRUNC) != 0 || fds.empty())
        return failure(ErrorCode::InvalidArgument, "a worker sent what is no parcel");
    auto bytes = bytesOf(fds.front().get());
    if (!bytes)
        return failure(bytes.error());
    fds.erase(fds.begin());
    return Delivery{std::move(*bytes), std::move(fds)};
}

} // namespace filterd::worker
