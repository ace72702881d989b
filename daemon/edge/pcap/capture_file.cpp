// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/pcap/capture_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <pcap/pcap.h>

namespace filterd {

namespace {

// Captures may begin with either kind of raw IP, which libpcap does not make one.
constexpr int kRawIpOfOthers = 14; // DLT_RAW of OpenBSD

std::optional<packet::LinkLayer> linkLayerOf(int type) {
    switch (type) {
    case DLT_EN10MB:
        return packet::LinkLayer::Ethernet;
    case DLT_RAW:
    case kRawIpOfOthers:
    case DLT_IPV4:
    case DLT_IPV6:
        return packet::LinkLayer::RawIp;
    case DLT_LINUX_SLL:
        return packet::LinkLayer::LinuxCooked;
    case DLT_LINUX_SLL2:
        return packet::LinkLayer::LinuxCooked2;
    default:
        return std::nullopt;
    }
}

std::string nameOfType(int type) {
    const char* name = ::pcap_datalink_val_to_name(type);
    return name != nullptr ? name : std::to_string(type);
}

} // namespace

void CaptureFile::Closer::operator()(pcap* file) const { ::pcap_close(file); }

Result<CaptureFile> CaptureFile::open(const std::filesystem::path& path) {
    std::FILE* stream = path == "-" ? stdin : std::fopen(path.c_str(), "rbe");
    if (stream == nullptr)
        return failure(systemError("open " + path.string(), errno));
    std::array<char, PCAP_ERRBUF_SIZE> reason{};
    std::unique_ptr<pcap, Closer> file(::pcap_fopen_offline(stream, reason.data()));
    if (!file) {
        if (stream != stdin)
            static_cast<void>(std::fclose(stream));
        return failure(ErrorCode::InvalidArgument,
                       path.string() + " is no capture file of tcpdump or wireshark: " + reason.data());
    }
    const int type = ::pcap_datalink(file.get());
    const auto layer = linkLayerOf(type);
    if (!layer)
        return failure(ErrorCode::InvalidArgument,
                       path.string() + " was captured on a link of type " + nameOfType(type) +
                           "; filterd reads Ethernet (EN10MB), raw IP (RAW) and Linux cooked captures "
                           "(LINUX_SLL, LINUX_SLL2)");
    return CaptureFile(std::move(file), *layer, path.string());
}

Result<std::optional<CapturedFrame>> CaptureFile::next() {
    pcap_pkthdr* header = nullptr;
    const unsigned char* bytes = nullptr;
    const int found = ::pcap_next_ex(file_.get(), &header, &bytes);
    if (found == PCAP_ERROR_BREAK)
        return std::nullopt;
    if (found != 1)
        return failure(ErrorCode::InvalidArgument, path_ + ": " + ::pcap_geterr(file_.get()));
    return CapturedFrame{std::as_bytes(std::span(bytes, header->caplen)), header->len};
}

} // namespace filterd
