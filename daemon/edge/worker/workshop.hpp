// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Programs made by workers. A call that runs within run() fails for what is not finished yet, and is tried
// again when it is; who asks outside of it waits.

#include "base/event_loop.hpp"
#include "edge/bpf/filters/direct_works.hpp"
#include "edge/worker/cost_file.hpp"
#include "edge/worker/worker_process.hpp"
#include "ports/crash_memory.hpp"
#include "ports/rule_noter.hpp"
#include "ports/slow_calls.hpp"

#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace filterd::worker {

struct WorkshopLimits {
    std::chrono::seconds perJob{60};
    std::chrono::seconds perWait{10}; // of a job outside of any attempt: nobody else is served meanwhile
    std::chrono::milliseconds perAttempt{10}; // of the daemon's own time, where it can pause
    std::size_t processes = 2;                // at once
    std::size_t waitingOfUser = 16;           // calls of one user but root
};

class Workshop final : public bpf::ProgramWorks, public SlowCalls, public RuleNoter {
  public:
    // `program`: filterd's own file. `intake`: for filters that filterd assembles itself, which cost nothing.
    // `crashes`: what has ended a worker is done again only for a client. `costs`: of what was done is done
    // first what took the least time, and before what is new. `progress` is called while somebody waits.
    Workshop(EventLoop& loop, std::string program, ObjectIntake& intake, CrashMemory& crashes,
             CostFile& costs, std::function<void()> progress, WorkshopLimits limits = {});
    ~Workshop() override;
    Workshop(const Workshop&) = delete;
    Workshop& operator=(const Workshop&) = delete;

    [[nodiscard]] Result<bpf::MadeFilter> makeFilter(const ObjectRequest& request, int counterMap,
                                                     const std::string& identity = {}) override;
    [[nodiscard]] Result<UniqueFd> verify(const bpf::ProgramText& text) override;
    [[nodiscard]] Result<UniqueFd> kept(const std::string& name,
                                        const std::function<Result<UniqueFd>()>& make) override;
    [[nodiscard]] std::optional<Result<Notes>>
    notesOn(const std::vector<packet::PacketRules>& lists) override;
    [[nodiscard]] bool isWaiting() const override;
    void hurry() override;
    void hurryNoMore() override;
    [[nodiscard]] bool pause() override;
    [[nodiscard]] std::any* left(const std::string& name) override;

    [[nodiscard]] Status roomFor(const Asker& asker) const override;
    void run(const Asker& asker, Step attempt, Step finish) override;
    void forget(const std::string& client) override;
    void forgetClients() override;
    [[nodiscard]] std::vector<SlowWork> works() const override;

  private:
    using Key = std::string;
    struct Call;
    struct Job;
    struct Bench; // a worker at work

    // `what`, in words. What the call has asked for with the same identity is not made a parcel of again.
    [[nodiscard]] Result<Delivery> ask(const std::function<Parcel()>& pack, const std::string& what,
                                       const std::string& identity = {});
    [[nodiscard]] Result<Delivery> answerTo(const Key& key);
    [[nodiscard]] Result<Delivery> waitFor(const Parcel& parcel);
    [[nodiscard]] Job& jobFor(const Key& key, const std::string& content, const Parcel& parcel,
                              const std::string& what);
    void noteWork();
    void tryOnce(const std::shared_ptr<Call>& call);
    void tryReady();
    void forgetUnwanted(const std::set<Key>& keys);

    void startJobs();
    [[nodiscard]] Status prepare();
    void forgetIf(const std::function<bool(const Call&)>& isGone);
    [[nodiscard]] std::optional<Key> nextJob();
    [[nodiscard]] Status startJob(const Key& key);
    void answered(Bench& bench);
    void finish(Bench& bench, Result<Delivery> answer);
    void note(const Job& job, const Result<Delivery>& answer);
    void cleanUp();

    EventLoop& loop_;
    std::string program_;
    bpf::DirectWorks own_;
    CrashMemory& crashes_;
    CostFile& costs_;
    std::function<void()> progress_;
    WorkshopLimits limits_;

    std::shared_ptr<Call> current_; // whose attempt is running
    std::list<std::shared_ptr<Call>> parked_;
    std::map<Key, Job> jobs_;
    std::map<uid_t, std::deque<Key>> queues_; // jobs that nobody does yet
    uid_t served_ = 0;                        // whose job was begun last
    std::list<Bench> benches_;
    std::optional<WorkerProcess> waiting_; // of those who wait
    bool haveSomeToTry_ = false;           // again, with the next turn of the loop
    EventLoop::Handle afterOthers_;
    EventLoop::Handle soon_;
};

} // namespace filterd::worker
