// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/worker/workshop.hpp"

#include "base/clock.hpp"
#include "base/confine.hpp"
#include "base/digest.hpp"
#include "base/log.hpp"
#include "edge/worker/job_text.hpp"
#include "kernel/bpf_calls.hpp"

#include <algorithm>

namespace filterd::worker {

struct Workshop::Call {
    Asker asker;
    Step attempt;
    Step finish;
    std::size_t attempts = 0;
    bool hurries = false;                                                 // it waits for what it needs
    std::set<Key> wanted = {};                                            // by any attempt
    std::set<Key> missing = {};                                           // in the last one
    std::optional<std::chrono::steady_clock::time_point> workedFrom = {}; // in the last one
    std::map<std::string, Key> asked = {};                                // by their identities
    std::map<std::string, UniqueFd> kept = {};
    std::map<std::string, std::any> left = {};
};

struct Workshop::Job {
    SlowWork work;
    std::string content; // its digest
    Delivery task;
    std::uint64_t beganAt = 0; // by a clock that nobody sets
    std::optional<Result<Delivery>> answer = std::nullopt;
};

struct Workshop::Bench {
    WorkerProcess process;
    Key key;
    bool isFree = false;
    EventLoop::Handle readable = {};
    EventLoop::Handle timer = {};
};

namespace {

// What changes each time that it is looked at is never finished.
constexpr std::size_t kMostAttempts = 64;
// What the verifier does with that many instructions takes less time than a worker takes to begin.
constexpr std::uint32_t kSmallWork = 10'000;
// What a call misses that pauses; no job has such a key.
constexpr const char* kLater = "later";

std::string contentOf(const Parcel& parcel) { return sha256(std::as_bytes(std::span(parcel.bytes))); }

// The same bytes and the same maps give the same program.
std::string keyOf(const std::string& content, const Parcel& parcel) {
    std::string maps;
    for (const int fd : parcel.fds) {
        const auto info = bpf::mapInfo(fd);
        maps += " " + (info ? std::to_string(info->id) : "?" + std::to_string(fd));
    }
    return content + maps;
}

// It has ended the worker, or taken it too long; the worker was not ended from outside, nor by what lacks
// here.
bool isToBlame(const Error& error) {
    return error.code == ErrorCode::InvalidObject || error.code == ErrorCode::LimitExceeded;
}

} // namespace

Workshop::Workshop(EventLoop& loop, std::string program, ObjectIntake& intake, CrashMemory& crashes,
                   CostFile& costs, std::function<void()> progress, WorkshopLimits limits)
    : loop_(loop), program_(std::move(program)), own_(intake), crashes_(crashes), costs_(costs),
      progress_(std::move(progress)), limits_(limits) {}

Workshop::~Workshop() = default;

// ---- what is asked for ----------------------------------------------------------------------------------

Result<bpf::MadeFilter> Workshop::makeFilter(const ObjectRequest& request, int counterMap,
                                             const std::string& identity) {
    if (std::holds_alternative<BuiltinFilter>(request.content))
        return own_.makeFilter(request, counterMap);
    const auto named = [&](const Error& error) {
        const auto who = "filter '" + request.name.text() + "'";
        return error.message.starts_with(who) ? error : error.context(who);
    };
    auto answer =
        ask([&] { return makeJob(request, counterMap); }, "filter '" + request.name.text() + "'", identity);
    auto made = answer ? readMade(std::move(*answer)) : failure(answer.error());
    waiting_.reset(); // who has read a stranger's bytes does nothing for anybody else
    if (!made)
        return failure(named(made.error()));
    return made;
}

Result<UniqueFd> Workshop::verify(const bpf::ProgramText& text) {
    if (text.work > 0 && text.work <= kSmallWork)
        return own_.verify(text);
    auto answer = ask([&] { return verifyJob(text); }, "program '" + text.name + "'");
    return answer ? readVerified(std::move(*answer)) : failure(answer.error());
}

std::optional<Result<RuleNoter::Notes>> Workshop::notesOn(const std::vector<packet::PacketRules>& lists) {
    const auto missing = current_ ? current_->missing.size() : 0;
    auto answer = ask([&] { return notesJob(lists); }, "notes on rules");
    if (current_ && current_->missing.size() > missing)
        return std::nullopt;
    auto notes = answer ? readNotes(std::move(*answer)) : failure(answer.error());
    if (notes && notes->size() != lists.size())
        return failure(ErrorCode::Internal, "a worker gave notes on other lists than it was asked for");
    return notes;
}

Result<UniqueFd> Workshop::kept(const std::string& name, const std::function<Result<UniqueFd>()>& make) {
    if (!current_ || current_->hurries)
        return make();
    auto& fd = current_->kept[name];
    if (!fd) {
        auto made = make();
        if (!made)
            return made;
        fd = std::move(*made);
    }
    return bpf::duplicate(fd.get());
}

Result<Delivery> Workshop::ask(const std::function<Parcel()>& pack, const std::string& what,
                               const std::string& identity) {
    if (current_ && !current_->hurries && !identity.empty())
        if (const auto asked = current_->asked.find(identity);
            asked != current_->asked.end() && jobs_.contains(asked->second))
            return answerTo(asked->second);
    if (current_)
        noteWork();
    const auto parcel = pack();
    const auto content = contentOf(parcel);
    const bool isAskedFor = current_ && !current_->asker.client.empty();
    if (const auto reason = crashes_.against(content); reason && !isAskedFor)
        return failure(ErrorCode::InvalidObject, *reason);
    if (!current_ || current_->hurries)
        return waitFor(parcel);
    const auto key = keyOf(content, parcel);
    current_->wanted.insert(key);
    if (!identity.empty())
        current_->asked.insert_or_assign(identity, key);
    static_cast<void>(jobFor(key, content, parcel, what));
    return answerTo(key);
}

Result<Delivery> Workshop::answerTo(const Key& key) {
    const auto& job = jobs_.at(key);
    if (!job.answer && current_->attempts >= kMostAttempts)
        return failure(ErrorCode::LimitExceeded, "it is not the same whenever it is looked at");
    if (!job.answer) {
        current_->missing.insert(key);
        return bpf::unfinished();
    }
    noteWork();
    if (!*job.answer)
        return failure(job.answer->error());
    return copyOf(viewOf(**job.answer));
}

Result<Delivery> Workshop::waitFor(const Parcel& parcel) {
    if (auto prepared = prepare(); !prepared)
        return failure(prepared.error());
    if (!waiting_) {
        auto process = WorkerProcess::start(program_);
        if (!process)
            return failure(process.error());
        waiting_ = std::move(*process);
    }
    auto process = std::move(*waiting_);
    waiting_.reset();
    if (auto given = process.give(parcel); !given)
        return failure(given.error());
    auto answer = process.await(limits_.perWait, progress_);
    if (answer)
        waiting_ = std::move(process);
    return answer;
}

Workshop::Job& Workshop::jobFor(const Key& key, const std::string& content, const Parcel& parcel,
                                const std::string& what) {
    const auto known = jobs_.find(key);
    if (known != jobs_.end())
        return known->second;
    const auto uid = current_->asker.uid;
    auto& job =
        jobs_.emplace(key, Job{{what, uid, microsecondsOf(CLOCK_REALTIME)}, content, {}}).first->second;
    auto task = copyOf(parcel);
    if (task) {
        job.task = std::move(*task);
        queues_[uid].push_back(key);
    } else {
        job.answer = failure(task.error());
    }
    return job;
}

// ---- calls ----------------------------------------------------------------------------------------------

bool Workshop::isWaiting() const { return current_ && !current_->missing.empty(); }

void Workshop::hurry() {
    if (!current_)
        return;
    current_->hurries = true;
    current_->missing.clear();
}

// What only finds that it cannot go on is no work.
void Workshop::noteWork() {
    if (!current_->workedFrom)
        current_->workedFrom = std::chrono::steady_clock::now();
}

bool Workshop::pause() {
    if (!current_ || current_->hurries || !current_->workedFrom ||
        std::chrono::steady_clock::now() - *current_->workedFrom < limits_.perAttempt)
        return false;
    current_->missing.insert(kLater);
    return true;
}

std::any* Workshop::left(const std::string& name) { return current_ ? &current_->left[name] : nullptr; }

void Workshop::hurryNoMore() {
    if (current_)
        current_->hurries = !afterOthers_;
}

Status Workshop::roomFor(const Asker& asker) const {
    if (asker.uid == 0)
        return {};
    const auto waiting = static_cast<std::size_t>(std::count_if(
        parked_.begin(), parked_.end(), [&](const auto& call) { return call->asker.uid == asker.uid; }));
    if (waiting < limits_.waitingOfUser)
        return {};
    return failure(ErrorCode::LimitExceeded, "user " + std::to_string(asker.uid) + " has " +
                                                 std::to_string(waiting) +
                                                 " calls waiting for their programs; wait for them");
}

void Workshop::run(const Asker& asker, Step attempt, Step finish) {
    auto call = std::make_shared<Call>(Call{asker, std::move(attempt), std::move(finish)});
    static_cast<void>(prepare());
    tryOnce(call);
}

void Workshop::tryOnce(const std::shared_ptr<Call>& call) {
    call->missing.clear();
    call->hurries = !afterOthers_; // without a loop there is no later
    call->workedFrom.reset();
    const auto outer = std::exchange(current_, call);
    const auto tried = confine("a call", call->attempt);
    current_ = outer;
    if (!tried)
        log::error(tried.error());
    if (tried && !call->missing.empty()) {
        haveSomeToTry_ |= call->missing.contains(kLater);
        call->attempts += call->missing.contains(kLater) ? 0 : 1;
        parked_.push_back(call);
        loop_.rearm(soon_, std::chrono::milliseconds(0));
        return;
    }
    if (auto finished = confine("the end of a call", call->finish); !finished)
        log::error(finished.error());
    forgetUnwanted(call->wanted);
}

// Each once: what it finds missing then is waited for anew.
void Workshop::tryReady() {
    const auto isReady = [this](const std::shared_ptr<Call>& call) {
        return std::all_of(call->missing.begin(), call->missing.end(), [this](const Key& key) {
            const auto job = jobs_.find(key);
            return job == jobs_.end() || job->second.answer;
        });
    };
    std::vector<std::shared_ptr<Call>> ready;
    std::copy_if(parked_.begin(), parked_.end(), std::back_inserter(ready), isReady);
    for (const auto& call : ready)
        if (parked_.remove(call) > 0) // none before it has had it forgotten
            tryOnce(call);
}

void Workshop::forget(const std::string& client) {
    forgetIf([&](const Call& call) { return call.asker.client == client; });
}

void Workshop::forgetClients() {
    forgetIf([](const Call& call) { return !call.asker.client.empty(); });
}

void Workshop::forgetIf(const std::function<bool(const Call&)>& isGone) {
    const auto parked = parked_;
    for (const auto& call : parked) {
        if (!isGone(*call))
            continue;
        parked_.remove(call);
        forgetUnwanted(call->wanted);
    }
}

void Workshop::forgetUnwanted(const std::set<Key>& keys) {
    const auto isWanted = [this](const Key& key) {
        return std::any_of(parked_.begin(), parked_.end(),
                           [&](const auto& call) { return call->wanted.contains(key); });
    };
    for (const auto& key : keys) {
        if (isWanted(key))
            continue;
        for (auto& [uid, queue] : queues_)
            std::erase(queue, key);
        jobs_.erase(key); // who does it finds nobody to give it to
    }
}

// ---- workers --------------------------------------------------------------------------------------------

std::vector<SlowWork> Workshop::works() const {
    std::vector<SlowWork> works;
    for (const auto& [key, job] : jobs_)
        if (!job.answer)
            works.push_back(job.work);
    return works;
}

// One of each user in turn; filterd and root are one of them.
std::optional<Workshop::Key> Workshop::nextJob() {
    std::erase_if(queues_, [](const auto& entry) { return entry.second.empty(); });
    if (queues_.empty())
        return std::nullopt;
    auto next = queues_.upper_bound(served_);
    if (next == queues_.end())
        next = queues_.begin();
    served_ = next->first;
    auto& queue = next->second;
    const auto costOf = [this](const Key& key) { return costs_.of(jobs_.at(key).content); };
    const auto cheapest = std::min_element(queue.begin(), queue.end(), [&](const Key& one, const Key& other) {
        return costOf(one) < costOf(other);
    });
    auto key = std::move(*cheapest);
    queue.erase(cheapest);
    return key;
}

void Workshop::startJobs() {
    const auto busy = [this] {
        return std::count_if(benches_.begin(), benches_.end(), [](const auto& one) { return !one.isFree; });
    };
    while (static_cast<std::size_t>(busy()) < limits_.processes) {
        const auto key = nextJob();
        if (!key)
            return;
        if (auto started = startJob(*key); !started) {
            jobs_.at(*key).answer = failure(started.error());
            haveSomeToTry_ = true;
            loop_.rearm(soon_, std::chrono::milliseconds(0));
        }
    }
}

// Those who wait for what could not begin are told by the loop, too.
Status Workshop::prepare() {
    if (afterOthers_)
        return {};
    auto soon = loop_.onTimer([] {});
    auto after = loop_.afterOthers([this] { cleanUp(); });
    if (!soon || !after)
        return failure(!soon ? soon.error() : after.error());
    soon_ = std::move(*soon);
    afterOthers_ = std::move(*after);
    return {};
}

Status Workshop::startJob(const Key& key) {
    auto process = WorkerProcess::start(program_);
    if (!process)
        return failure(process.error());
    if (auto given = process->give(viewOf(jobs_.at(key).task)); !given)
        return given;
    auto& bench = benches_.emplace_back(Bench{std::move(*process), key});
    auto readable = loop_.onReadable(bench.process.socket(), [this, &bench] { answered(bench); });
    auto timer =
        loop_.onTimer([this, &bench] { finish(bench, failure(WorkerProcess::tooLong(limits_.perJob))); });
    if (!readable || !timer) {
        benches_.pop_back();
        return failure(!readable ? readable.error() : timer.error());
    }
    jobs_.at(key).work.beganAt = microsecondsOf(CLOCK_REALTIME);
    jobs_.at(key).beganAt = monotonicNanoseconds();
    bench.readable = std::move(*readable);
    bench.timer = std::move(*timer);
    loop_.rearm(bench.timer, limits_.perJob);
    return {};
}

void Workshop::answered(Bench& bench) {
    if (!bench.isFree)
        finish(bench, bench.process.take());
}

// The sources of the bench end later: one of them is calling.
void Workshop::finish(Bench& bench, Result<Delivery> answer) {
    bench.isFree = true;
    const auto job = jobs_.find(bench.key);
    if (job == jobs_.end() || job->second.answer)
        return;
    note(job->second, answer);
    job->second.answer = std::move(answer);
    job->second.task = {};
    for (auto& [uid, queue] : queues_) // it was asked for again, by others than those it was begun for
        std::erase(queue, bench.key);
}

void Workshop::note(const Job& job, const Result<Delivery>& answer) {
    if (!answer && isToBlame(answer.error()))
        crashes_.blame(job.content, answer.error().message);
    if (!answer)
        return;
    crashes_.forgive(job.content);
    costs_.note(job.content, (monotonicNanoseconds() - job.beganAt) / 1'000'000);
}

void Workshop::cleanUp() {
    const auto done = std::erase_if(benches_, [](const auto& bench) { return bench.isFree; });
    waiting_.reset(); // nobody waits while the loop turns
    if (done > 0 || std::exchange(haveSomeToTry_, false))
        tryReady();
    startJobs();
    if (benches_.empty())
        costs_.save();
}

} // namespace filterd::worker
