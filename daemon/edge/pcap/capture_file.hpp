// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Captures of tcpdump and wireshark, pcap and pcapng, packet by packet.

#include "base/result.hpp"
#include "core/packet/capture.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

struct pcap;

namespace filterd {

struct CapturedFrame {
    std::span<const std::byte> bytes; // valid until the next one is read
    std::size_t wireLength = 0;       // more than was captured, if a snapshot length cut it
};

class CaptureFile {
  public:
    // "-" is the standard input. Errors: InvalidArgument (no capture, or of another link layer).
    [[nodiscard]] static Result<CaptureFile> open(const std::filesystem::path& path);

    [[nodiscard]] packet::LinkLayer linkLayer() const { return linkLayer_; }
    // Nothing at the file's end. Errors: InvalidArgument (the file is damaged or cut off).
    [[nodiscard]] Result<std::optional<CapturedFrame>> next();

  private:
    struct Closer {
        void operator()(pcap* file) const;
    };
    CaptureFile(std::unique_ptr<pcap, Closer> file, packet::LinkLayer layer, std::string path)
        : file_(std::move(file)), linkLayer_(layer), path_(std::move(path)) {}

    std::unique_ptr<pcap, Closer> file_;
    packet::LinkLayer linkLayer_;
    std::string path_;
};

} // namespace filterd
