// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// test: packets of a capture, judged by a filter or a unit's whole queue in the kernel.

#include "base/text.hpp"
#include "cli/local/test_run.hpp"
#include "cli/packets/verbs.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/table.hpp"
#include "cli/verb/failure.hpp"
#include "core/model/names.hpp"
#include "edge/pcap/capture_file.hpp"
#include "rescue/rescue.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <unistd.h>

namespace filterd::cli {

namespace {

struct TestArguments {
    std::string subject;
    std::string direction;
    std::string file;
};

struct Subject {
    Direction direction = Direction::Ingress;
    std::vector<std::string> filters; // in order
};

struct Verdict {
    std::size_t number = 0; // in the file, from 1
    std::size_t length = 0;
    std::string verdict = "none"; // or "pass", "drop"
    std::string filter;           // which has dropped it
    std::string packet;           // in a few words
    std::string note;
};

// Says what became of the packets, and why there are no more of them.
struct Judgement {
    std::vector<Verdict> verdicts;
    std::string fault;
};

// ---- what is tested -------------------------------------------------------------------------------------

Result<Direction> directionFor(const client::Unit& unit, const std::string& wanted) {
    if (!wanted.empty())
        return wanted == "egress" ? Direction::Egress : Direction::Ingress;
    if (!unit.ingressQueue.empty() && !unit.egressQueue.empty())
        return failure(ErrorCode::InvalidArgument,
                       unit.name + " has a queue for each direction; say which: --direction ingress|egress");
    return unit.ingressQueue.empty() ? Direction::Egress : Direction::Ingress;
}

Result<Subject> queueOf(const client::Unit& unit, const std::string& wanted) {
    const auto direction = directionFor(unit, wanted);
    if (!direction)
        return failure(direction.error());
    const auto& filters = *direction == Direction::Ingress ? unit.ingressQueue : unit.egressQueue;
    if (filters.empty())
        return failure(ErrorCode::InvalidArgument,
                       unit.name + " has no " + std::string(toString(*direction)) + " queue to test");
    if (unit.state != "attached")
        complain(unit.name + " is " + unit.state + " now: " + unit.error +
                 "; this is what its queue would do");
    return Subject{*direction, filters};
}

// The daemon is needed for units only.
Exit find(const TestArguments& arguments, Subject& subject) {
    if (arguments.subject.find_first_of("./") == std::string::npos) {
        const auto name = FilterName::parse(arguments.subject);
        if (!name)
            return misused(name.error().message);
        subject.direction = arguments.direction == "egress" ? Direction::Egress : Direction::Ingress;
        subject.filters = {name->text()};
        return Exit::Ok;
    }
    return withDaemon([&](client::Client& client) {
        const auto unit = client.unit(arguments.subject);
        if (!unit)
            return failed(unit.error());
        auto queue = queueOf(*unit, arguments.direction);
        if (!queue)
            return misused(queue.error().message);
        subject = std::move(*queue);
        return Exit::Ok;
    });
}

Result<bpf::TestQueue> open(const Subject& subject) {
    std::vector<std::filesystem::path> pins;
    for (const auto& filter : subject.filters)
        pins.push_back(rescue::Roots{}.pins / "filters" / filter);
    return bpf::TestQueue::open(pins);
}

// ---- judging --------------------------------------------------------------------------------------------

// What is too large for the kernel is judged by its beginning, which holds all headers.
Result<std::optional<std::size_t>> judge(const bpf::TestQueue& queue, Direction direction,
                                         packet::IpPacket packet, std::string& note) {
    if (packet.cut)
        note = "captured in part; so much was judged";
    auto dropped = queue.judge(packet, direction);
    if (dropped || dropped.error().code != ErrorCode::LimitExceeded)
        return dropped;
    note = "too large for a run in the kernel; its first " + std::to_string(bpf::kAlwaysTaken) +
           " bytes were judged";
    packet.bytes = packet.bytes.first(bpf::kAlwaysTaken);
    return queue.judge(packet, direction);
}

Verdict judge(const bpf::TestQueue& queue, const Subject& subject, packet::LinkLayer layer,
              const CapturedFrame& frame) {
    const auto packet = packet::ipPacketOf(layer, frame.bytes);
    Verdict verdict;
    verdict.length = packet ? packet->bytes.size() : frame.wireLength;
    if (!packet) {
        verdict.note = "no IP packet with a whole header";
        return verdict;
    }
    verdict.packet = packet::summaryOf(*packet);
    const auto dropped = judge(queue, subject.direction, *packet, verdict.note);
    if (!dropped) {
        verdict.note = dropped.error().message;
        return verdict;
    }
    verdict.verdict = *dropped ? "drop" : "pass";
    if (*dropped)
        verdict.filter = subject.filters[**dropped];
    return verdict;
}

Judgement judgeAll(const bpf::TestQueue& queue, const Subject& subject, CaptureFile& file) {
    Judgement result;
    for (;;) {
        const auto frame = file.next();
        if (!frame) {
            result.fault = frame.error().message;
            return result;
        }
        if (!*frame)
            return result;
        result.verdicts.push_back(judge(queue, subject, file.linkLayer(), **frame));
        result.verdicts.back().number = result.verdicts.size();
    }
}

// ---- printing -------------------------------------------------------------------------------------------

std::size_t count(const Judgement& judgement, std::string_view verdict) {
    return static_cast<std::size_t>(
        std::count_if(judgement.verdicts.begin(), judgement.verdicts.end(),
                      [&](const Verdict& one) { return one.verdict == verdict; }));
}

std::map<std::string, std::size_t> drops(const Judgement& judgement) {
    std::map<std::string, std::size_t> result;
    for (const auto& verdict : judgement.verdicts)
        if (!verdict.filter.empty())
            ++result[verdict.filter];
    return result;
}

std::string totals(const Judgement& judgement) {
    std::string by;
    for (const auto& [filter, packets] : drops(judgement))
        by += (by.empty() ? " (" : ", ") + std::to_string(packets) + " by " + filter;
    return std::to_string(judgement.verdicts.size()) +
           " packets: " + std::to_string(count(judgement, "pass")) + " passed, " +
           std::to_string(count(judgement, "drop")) + " dropped" + (by.empty() ? "" : by + ")") + ", " +
           std::to_string(count(judgement, "none")) + " not judged\n";
}

void printText(const Subject& subject, const Judgement& judgement) {
    Table table({"PACKET", "LENGTH", "VERDICT", "BY", "WHAT"});
    for (const auto& one : judgement.verdicts) {
        const auto colour = one.verdict == "pass"   ? Colour::Green
                            : one.verdict == "drop" ? Colour::Red
                                                    : Colour::Yellow;
        const auto apart = one.packet.empty() || one.note.empty() ? "" : "; ";
        table.add({std::to_string(one.number),
                   std::to_string(one.length),
                   {one.verdict, colour},
                   one.filter.empty() ? "-" : one.filter,
                   one.packet + apart + one.note});
    }
    table.print("packet", "packets",
                " through " + joined(subject.filters, ", ") + " as " +
                    std::string(toString(subject.direction)));
    print(totals(judgement));
}

void printDocument(const Subject& subject, const Judgement& judgement) {
    auto packets = nlohmann::json::array();
    for (const auto& one : judgement.verdicts)
        packets.push_back({{"number", one.number},
                           {"length", one.length},
                           {"verdict", one.verdict},
                           {"filter", one.filter},
                           {"packet", one.packet},
                           {"note", one.note}});
    printJson({{"direction", toString(subject.direction)},
               {"queue", subject.filters},
               {"packets", packets},
               {"totals",
                {{"packets", judgement.verdicts.size()},
                 {"passed", count(judgement, "pass")},
                 {"dropped", count(judgement, "drop")},
                 {"not_judged", count(judgement, "none")},
                 {"dropped_by", drops(judgement)}}}});
}

Exit refuse(const Error& error) {
    complain(error.message);
    return Exit::Failed;
}

Exit test(const TestArguments& arguments, bool json) {
    if (::geteuid() != 0)
        return refuse({ErrorCode::AccessDenied, "only root may run programs in the kernel; call as root"});
    auto file = CaptureFile::open(arguments.file);
    if (!file)
        return refuse(file.error());
    Subject subject;
    if (const auto found = find(arguments, subject); found != Exit::Ok)
        return found;
    const auto queue = open(subject);
    if (!queue)
        return refuse(queue.error());
    const auto judgement = judgeAll(*queue, subject, *file);
    json ? printDocument(subject, judgement) : printText(subject, judgement);
    return judgement.fault.empty() ? Exit::Ok : refuse({ErrorCode::InvalidArgument, judgement.fault});
}

} // namespace

void addTestVerb(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<TestArguments>();
    auto* verb = app.add_subcommand(
        "test", "Run the packets of a capture through a filter or a unit's queue, and show the verdicts");
    verb->add_option("NAME", arguments->subject,
                     "A loaded filter (port443), a guarded unit (nginx.service) or a cgroup path")
        ->required();
    verb->add_option("--pcap", arguments->file, "A capture of tcpdump or wireshark; '-' is standard input")
        ->required();
    verb->add_option("--direction", arguments->direction,
                     "'ingress' (the default; for a unit, the queue that it has) or 'egress'")
        ->check(CLI::IsMember({"ingress", "egress"}));
    verb->footer("The filter itself runs: what it counts and remembers, it counts and remembers of these "
                 "packets, too.");
    verb->callback([arguments, &invocation] {
        invocation.action = [arguments, &invocation] { return test(*arguments, invocation.json); };
    });
}

} // namespace filterd::cli
