// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Captures, pcap and pcapng, and the packets in them.

#include "core/packet/capture.hpp"

#include "core/packet/endpoints.hpp"
#include "core/packet/pcapng.hpp"
#include "edge/pcap/capture_file.hpp"
#include "fuzz.hpp"

#include <span>
#include <sys/mman.h>
#include <unistd.h>

namespace filterd::fuzz {
namespace {

constexpr std::size_t kMostFrames = 1'000; // of one input

// A file without a place.
class File {
  public:
    explicit File(std::string_view content) : fd_(::memfd_create("capture", MFD_CLOEXEC)) {
        require(fd_ >= 0 &&
                    ::write(fd_, content.data(), content.size()) == static_cast<ssize_t>(content.size()),
                "a file can be made");
    }
    ~File() { ::close(fd_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

  private:
    int fd_;
};

void checkPacket(packet::LinkLayer layer, std::span<const std::byte> frame) {
    const auto ip = packet::ipPacketOf(layer, frame);
    if (!ip)
        return;
    require(ip->bytes.size() <= frame.size(), "a packet is no longer than its frame");
    require(isUtf8(packet::summaryOf(*ip)), "a summary is text");
    (void)packet::endpointsOf(ip->etherType, ip->bytes);
}

void checkFile(std::string_view content) {
    const File file(content);
    auto capture = CaptureFile::open(file.path());
    if (!capture) {
        requireReadable(capture.error());
        return;
    }
    for (std::size_t frames = 0; frames < kMostFrames; ++frames) {
        const auto frame = capture->next();
        if (!frame)
            requireReadable(frame.error());
        if (!frame || !*frame)
            return;
        checkPacket(capture->linkLayer(), (*frame)->bytes);
    }
}

// What filterd writes is read as it was.
void checkOwn(const std::uint8_t* data, std::size_t size) {
    packet::PcapngPacket packet;
    packet.bytes = {data, size};
    packet.length = static_cast<std::uint32_t>(size);
    packet.time = size * 1'000'003;
    packet.comment = std::string(size % 7, 'c');
    const File file(packet::pcapngHead("filterd", "any") + packet::pcapngBlock(packet));
    auto capture = CaptureFile::open(file.path());
    require(capture.has_value(), "an own capture can be read");
    const auto frame = capture->next();
    require(frame && *frame && std::ranges::equal((*frame)->bytes, std::as_bytes(packet.bytes)),
            "a packet is read as it was written");
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace filterd;
    fuzz::checkFile(fuzz::textOf(data, size));
    for (const auto layer : {packet::LinkLayer::Ethernet, packet::LinkLayer::RawIp,
                             packet::LinkLayer::LinuxCooked, packet::LinkLayer::LinuxCooked2})
        fuzz::checkPacket(layer, std::as_bytes(std::span(data, size)));
    fuzz::checkOwn(data, size);
    return 0;
}
