// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "unit_sockets.hpp"

#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace filterd::test {

namespace {

constexpr int kEnough = 400; // milliseconds

void enter(const std::string& path) {
    const UniqueFd processes(::open((path + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::write(processes.get(), "0", 1), 1) << path << ": " << std::strerror(errno);
}

sockaddr_in addressOf(const char* address, int port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, address, &result.sin_addr);
    return result;
}

bool becomes(int socket, short events) {
    pollfd ready{socket, events, 0};
    return ::poll(&ready, 1, kEnough) == 1 && (ready.revents & events) != 0;
}

} // namespace

FilteredUnit::FilteredUnit(const std::string& name) : path_("/sys/fs/cgroup/" + name) {
    std::filesystem::create_directory(path_);
    directory_ = UniqueFd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    EXPECT_TRUE(directory_) << path_;
}

FilteredUnit::~FilteredUnit() { ::rmdir(path_.c_str()); }

void FilteredUnit::use(const Loaded& filter) {
    constexpr bpf_attach_type kTypes[]{BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS};
    for (std::size_t i = 0; i < std::size(kTypes); ++i) {
        UniqueFd link(::bpf_link_create(filter.filter().program.get(), directory_.get(), kTypes[i], nullptr));
        ASSERT_TRUE(link) << std::strerror(errno);
        links_[i] = std::move(link);
    }
}

void FilteredUnit::inside(const std::function<void()>& function) const {
    enter(path_);
    function();
    enter("/sys/fs/cgroup");
}

UniqueFd FilteredUnit::makeSocket(int type, int protocol) const {
    UniqueFd made;
    inside([&] { made = UniqueFd(::socket(AF_INET, type | SOCK_CLOEXEC, protocol)); });
    EXPECT_TRUE(made) << std::strerror(errno);
    return made;
}

int bindTo(int socket, int port) {
    auto address = addressOf("127.0.0.1", port);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0) << std::strerror(errno);
    EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
    return ntohs(address.sin_port);
}

bool connectTo(int socket, int port) {
    const auto address = addressOf("127.0.0.1", port);
    ::fcntl(socket, F_SETFL, O_NONBLOCK);
    const bool done = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
                      (errno == EINPROGRESS && becomes(socket, POLLOUT));
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    return done && error == 0;
}

bool sendTo(int socket, int port, const char* address) {
    const auto to = addressOf(address, port);
    return ::sendto(socket, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 1;
}

bool sendOn(int socket) { return ::send(socket, "x", 1, MSG_NOSIGNAL) == 1; }

bool receives(int socket) {
    char byte = 0;
    return becomes(socket, POLLIN) && ::recv(socket, &byte, 1, MSG_DONTWAIT) == 1;
}

UniqueFd acceptOn(int listener) {
    if (!becomes(listener, POLLIN))
        return {};
    return UniqueFd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
}

} // namespace filterd::test
