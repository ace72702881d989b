// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What daemon and worker send each other, in CBOR. The first letter says what it is: a is an answer of a
// worker, j a job for one, s what comes over the socket, t the type of a value, in JSON, with the value's
// bytes in the lines behind it.

#include "edge/bpf/filters/type_record.hpp"
#include "edge/worker/content_text.hpp"
#include "edge/worker/job_text.hpp"
#include "edge/worker/type_check.hpp"
#include "fuzz.hpp"
#include "tests/shared/fake_expressions.hpp"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace filterd::fuzz {
namespace {

using worker::Delivery;

constexpr std::size_t kDescriptors = 4;

Delivery deliveryOf(std::string_view bytes) {
    static const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Delivery delivery{{bytes.begin(), bytes.end()}, {}};
    for (std::size_t i = 0; i < kDescriptors; ++i)
        delivery.fds.emplace_back(::fcntl(nothing.get(), F_DUPFD_CLOEXEC, 3));
    return delivery;
}

// ---- answers --------------------------------------------------------------------------------------------

// None of them is right: the descriptors are no programs.
void checkAnswer(std::string_view bytes) {
    const auto made = worker::readMade(deliveryOf(bytes));
    const auto verified = worker::readVerified(deliveryOf(bytes));
    require(!made && !verified, "an answer without programs is none");
    const auto notes = worker::readNotes(deliveryOf(bytes));
    if (!notes)
        requireReadable(notes.error());
    for (const auto* error : {&made.error(), &verified.error()})
        requireReadable(*error);
}

// ---- jobs -----------------------------------------------------------------------------------------------

// Notes what it is asked for, and gives some of it back.
class FakeWorks final : public bpf::ProgramWorks {
  public:
    Result<bpf::MadeFilter> makeFilter(const ObjectRequest& request, int, const std::string&) override {
        requests.push_back(request);
        bpf::MadeFilter made;
        made.program.programName = request.program;
        for (const auto& map : request.earlierMaps)
            made.program.maps.push_back({map.facts.name, UniqueFd(), map.facts, true});
        if (request.earlier)
            made.program.rules = request.earlier->rules;
        for (const auto& [name, value] : request.parameters)
            made.program.forgotten.push_back(name);
        return made;
    }
    Result<UniqueFd> verify(const bpf::ProgramText& text) override {
        functions += text.program.functions.size();
        return failure(ErrorCode::KernelRefused, text.name);
    }

    std::vector<ObjectRequest> requests;
    std::size_t functions = 0;
};

bool areSame(const ObjectRequest& one, const ObjectRequest& other) {
    const auto facts = [](const ObjectRequest& request) {
        std::vector<MapFacts> all;
        for (const auto& map : request.earlierMaps)
            all.push_back(map.facts);
        return all;
    };
    return one.name == other.name && one.content == other.content && one.program == other.program &&
           one.parameters == other.parameters && facts(one) == facts(other) &&
           one.earlier.has_value() == other.earlier.has_value() &&
           (!one.earlier || one.earlier->rules == other.earlier->rules);
}

// What is no job is thrown back: it is the daemon that writes them.
void checkJob(std::string_view bytes) {
    FakeWorks works;
    test::FakeExpressions expressions;
    worker::Answer answer;
    const auto job = deliveryOf(bytes);
    try {
        answer = worker::doJob(job, {works, expressions});
    } catch (const std::exception&) {
        return;
    }
    if (works.requests.empty())
        return;
    const auto again = worker::makeJob(works.requests.front(), job.fds.front().get());
    const auto copied = worker::copyOf(again);
    require(copied.has_value(), "a job can be copied");
    (void)worker::doJob(*copied, {works, expressions});
    require(areSame(works.requests.front(), works.requests.back()), "a job is read as it was written");
    checkAnswer({reinterpret_cast<const char*>(answer.parcel.bytes.data()), answer.parcel.bytes.size()});
}

// ---- on the socket --------------------------------------------------------------------------------------

constexpr std::size_t kMostOnSocket = 8;

std::size_t countOf(char how) { return static_cast<unsigned char>(how) % kMostOnSocket; }

// As many descriptors as the letter says, the first of which is a file with the bytes, or is none.
void sendRaw(int socket, char how, std::string_view bytes) {
    const auto delivery = deliveryOf(bytes);
    const UniqueFd file(::memfd_create("parcel", MFD_CLOEXEC));
    require(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
            "a file can be made");
    std::vector<int> fds(countOf(how), delivery.fds.front().get());
    if (how >= 'a' && !fds.empty())
        fds.front() = file.get();
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostOnSocket * sizeof(int))> control{};
    iovec data{&how, 1};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
        auto* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
        std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
    }
    require(::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0, "a message can be sent");
}

void checkSocket(std::string_view text) {
    if (text.empty())
        return;
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "there are sockets");
    const UniqueFd ours(ends[0]);
    const UniqueFd theirs(ends[1]);
    const char how = text.front();
    const auto bytes = text.substr(1);
    sendRaw(theirs.get(), how, bytes);
    const auto received = worker::receive(ours.get());
    require(received.has_value() == (how >= 'a' && countOf(how) > 0),
            "a parcel is received, and nothing else");
    if (received)
        require(std::string_view(reinterpret_cast<const char*>(received->bytes.data()),
                                 received->bytes.size()) == bytes &&
                    received->fds.size() + 1 == countOf(how),
                "a parcel is what was sent");
}

// ---- types ----------------------------------------------------------------------------------------------

void checkValues(const ValueType& type, std::string_view content) {
    Bytes bytes(type.size);
    const auto given = std::as_bytes(std::span(content)).first(std::min(content.size(), bytes.size()));
    std::copy(given.begin(), given.end(), bytes.begin());
    (void)describe(type);
    const auto shown = format(type, bytes);
    if (const auto again = encode(type, Value{shown}))
        require(again->size() == type.size, "a value has the size of its type");
    (void)encode(type, Value{std::string(content)});
}

// A type that is taken leads nobody astray, whatever else it says.
void checkType(std::string_view text) {
    const auto end = std::min(text.find('\n'), text.size());
    ValueType type;
    bool hasFraction = false; // such an answer is refused before
    const auto look = [&](int, nlohmann::json::parse_event_t, const nlohmann::json& seen) {
        hasFraction |= seen.is_number_float();
        return true;
    };
    try {
        const auto data = nlohmann::json::parse(text.substr(0, end), look);
        if (hasFraction)
            return;
        type = bpf::decodeType(data);
    } catch (const std::exception&) {
        return;
    }
    if (!worker::isSound(type))
        return;
    require(bpf::decodeType(bpf::encodeType(type)) == type, "a type is read as it was written");
    checkValues(type, text.substr(std::min(end + 1, text.size())));
}

void check(std::string_view text) {
    if (text.starts_with('a'))
        checkAnswer(text.substr(1));
    else if (text.starts_with('j'))
        checkJob(text.substr(1));
    else if (text.starts_with('s'))
        checkSocket(text.substr(1));
    else if (text.starts_with('t'))
        checkType(text.substr(1));
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    filterd::fuzz::check(filterd::fuzz::textOf(data, size));
    return 0;
}
