// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// mtu: a small MTU of a network path, or loss, played on a cgroup; with neither daemon nor bus nor systemd.

#include "cli/filters/dial.hpp"
#include "cli/filters/verbs.hpp"
#include "cli/local/pinned_mtu.hpp"
#include "cli/verb/failure.hpp"
#include "core/value/integers.hpp"

#include <limits>
#include <memory>
#include <unistd.h>

namespace filterd::cli {

namespace {

constexpr std::uint32_t kStep = 50;

struct MtuArguments {
    std::string pin;
    std::uint32_t bytes = 1500;
    std::string cgroup;
    std::string direction = "ingress";
};

client::Error clientError(const Error& error) {
    return {"org.filterd1.Error." + std::string(errorName(error.code)), error.message};
}

// CLI11 takes an empty text for 0, which drops everything.
std::string isLimit(const std::string& text) {
    const auto number = parseInteger(text);
    return number && *number >= 0 && *number <= largest(sizeof MtuArguments::bytes, false)
               ? ""
               : "takes an integer from 0 to 4294967295, not '" + text + "'";
}

std::uint32_t turned(std::uint32_t bytes, bool up) {
    if (up)
        return std::numeric_limits<std::uint32_t>::max() - bytes < kStep ? bytes : bytes + kStep;
    return bytes < kStep ? 0 : bytes - kStep;
}

Exit control(const bpf::PinnedMtu& filter, std::uint32_t bytes) {
    Dial dial;
    dial.line = [&]() -> client::Result<std::string> {
        const auto counted = filter.counters();
        if (!counted)
            return tl::unexpected(clientError(counted.error()));
        return "cgroup dropped " + std::to_string(counted->dropped) + " packets, forwarded " +
               std::to_string(counted->passed) + " packets, MTU is " + std::to_string(bytes) +
               " bytes (Press +/- to change)";
    };
    dial.turn = [&](bool up) -> client::Result<void> {
        const auto next = turned(bytes, up);
        if (auto set = filter.set(next); !set)
            return tl::unexpected(clientError(set.error()));
        bytes = next;
        return {};
    };
    return watch(dial);
}

Exit mtu(const MtuArguments& arguments) {
    if (::geteuid() != 0) {
        complain("only root may load a filter; call as root");
        return Exit::Failed;
    }
    const auto filter = bpf::PinnedMtu::load(arguments.pin, arguments.bytes);
    if (!filter)
        return failed(clientError(filter.error()));
    const auto direction = arguments.direction == "egress" ? Direction::Egress : Direction::Ingress;
    if (!arguments.cgroup.empty())
        if (const auto attached = filter->attach(arguments.cgroup, direction); !attached) {
            ::unlink(arguments.pin.c_str());
            return failed(clientError(attached.error()));
        }
    return control(*filter, arguments.bytes);
}

} // namespace

void addMtuVerb(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<MtuArguments>();
    auto* verb = app.add_subcommand(
        "mtu", "Load a filter that drops large packets, pin it, and change its limit with + and -");
    verb->add_option("-m,--mtu", arguments->bytes, "The largest packet that passes, in bytes")
        ->check(isLimit)
        ->capture_default_str();
    verb->add_option("-c,--cgroup", arguments->cgroup, "Attach the filter to the cgroup of this path, too")
        ->check([](const std::string& path) { return path.empty() ? "it must not be empty" : ""; });
    verb->add_option("-t,--type", arguments->direction, "As what it is attached: 'ingress' or 'egress'")
        ->check(CLI::IsMember({"ingress", "egress"}))
        ->capture_default_str();
    verb->add_option("PIN", arguments->pin, "Where the filter is pinned, such as /sys/fs/bpf/small")
        ->required();
    verb->footer("The filter stays when this ends; 'rm PIN' unloads it, or, where it is attached, the end of "
                 "the cgroup.\nWrong usage ends with 1.");
    verb->callback([arguments, &invocation] { invocation.action = [arguments] { return mtu(*arguments); }; });
}

} // namespace filterd::cli
