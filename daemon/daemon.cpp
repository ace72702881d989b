// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "daemon.hpp"

#include "base/clock.hpp"
#include "base/confine.hpp"
#include "base/log.hpp"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <filesystem>

namespace filterd {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kJoinRetry{500};
// A removed cgroup is released some milliseconds later, or when its last socket is closed. Only where no
// guard tells.
constexpr milliseconds kFirstCollect{50};
constexpr milliseconds kLastCollect{60'000};
// Rules are set one after the other; what they lack is looked for once.
constexpr milliseconds kWarningsDelay{100};
// However many units come and go, what rules lack is looked for once in that time.
constexpr milliseconds kWarningsDelayOfUnits{1'000};

void notifyReloading() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds = static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", microseconds);
}

} // namespace

Daemon::Daemon(std::unique_ptr<Edges> edges)
    : edges_(std::move(edges)),
      firewall_({edges_->kernel, edges_->tree, edges_->state, edges_->crashes}, std::move(edges_->guard),
                {userExists, [this](const FilterName& name) { return edges_->files.fileOf(name); },
                 [this](const auto& paths) { edges_->watch.follow(paths); }}),
      settings_(edges_->kernel.values(), edges_->parameters,
                [this](const FilterName& name) {
                    const auto definition = firewall_.inForce().intent().definitions.define(name);
                    return definition ? definition->parameters : std::map<std::string, std::string>();
                }),
      drops_(edges_->kernel.dropReports(), DropOrigins(firewall_.inForce()), firewall_.observers()),
      trials_(edges_->loop, edges_->workshop, firewall_.queues(), firewall_.inForce()),
      configurator_([this](const Configuration& last) { return readFiles(last); },
                    [this] { return runningUnits(edges_->tree); },
                    {edges_->lastConfiguration, edges_->keptConfiguration}, edges_->crashes, firewall_,
                    edges_->workshop),
      bus_(edges_->loop, {firewall_, settings_, drops_, edges_->workshop},
           {[this] { return reloadAsked(); }, [this] { trials_.look(); },
            [this](sdbus::IConnection& connection) { return onJoined(connection); },
            [this](const std::string& reason) { onLost(reason); }, [this] { return warnings(); }}),
      teller_(edges_->loop, firewall_) {
    firewall_.subscribe(bus_);
    firewall_.subscribe(teller_);
    firewall_.subscribe(*this);
}

Result<std::unique_ptr<Daemon>> Daemon::create() {
    auto edges = Edges::open();
    if (!edges)
        return failure(edges.error());
    return std::unique_ptr<Daemon>(new Daemon(std::move(*edges)));
}

void Daemon::filterLoaded(const FilterFacts& filter) {
    settings_.restore(filter);
    if (configurator_.filterLoaded(filter))
        edges_->loop.rearm(warningsTimer_, kWarningsDelay);
}

void Daemon::filterVanished(const FilterName& /*name*/) {
    if (configurator_.filterVanished())
        edges_->loop.rearm(warningsTimer_, kWarningsDelay);
}

void Daemon::rulesSet(const std::string& target) {
    configurator_.rulesChanged(target);
    edges_->loop.rearm(warningsTimer_, kWarningsDelay);
}

// ---- configuration --------------------------------------------------------------------------------------

// Once for each reload, however many attempts it takes, unless another one has ended meanwhile. The time is
// taken before: what changes meanwhile counts as changed.
Configuration Daemon::readFiles(const Configuration& last) {
    struct Read {
        std::uint64_t reloads = 0;
        std::uint64_t time = 0;
        Configuration configuration;
    };
    auto* left = edges_->workshop.left("files");
    if (const auto* read = std::any_cast<Read>(left); read != nullptr && read->reloads == reloads_) {
        readAt_ = read->time;
        return read->configuration;
    }
    readAt_ = microsecondsOf(CLOCK_REALTIME);
    auto configuration = edges_->files.read(last);
    for (auto& fault : edges_->parameters.faults())
        configuration.warnings.push_back(std::move(fault));
    if (left != nullptr)
        *left = Read{reloads_, readAt_, configuration};
    return configuration;
}

// What was saved for a filter changes by calls: it is looked at anew each time.
std::vector<std::string> Daemon::warnings() {
    auto warnings = configurator_.warnings();
    for (const auto& [name, filter] : firewall_.filters().all())
        for (const auto& misfit : settings_.misfits(filter))
            warnings.push_back("filter '" + name.text() + "': " + misfit);
    return warnings;
}

void Daemon::tellConfiguration() {
    auto errors = configurator_.errors();
    for (auto& stranger : edges_->kernel.strangers())
        errors.push_back(std::move(stranger));
    teller_.setBroken(errors);
    bus_.setConfiguration(std::move(errors), filesReadAt_);
}

// Rules were set on the bus, or units have come or gone.
void Daemon::tellWarnings() {
    static_cast<void>(configurator_.warnings());
    bus_.warningsChanged();
}

Status Daemon::reload() {
    auto done = configurator_.reload();
    if (edges_->kernel.isWaiting())
        return done;
    ++reloads_;
    filesReadAt_ = readAt_;
    tellConfiguration();
    return done;
}

// Somebody wants it, whatever it has done before.
Status Daemon::reloadAsked() {
    auto* asked = edges_->workshop.left("asked");
    if (asked == nullptr || !asked->has_value())
        edges_->crashes.forgiveAll(); // at the first attempt
    if (asked != nullptr)
        *asked = true;
    return reload();
}

// One after the other: what asks meanwhile is answered by one more.
void Daemon::reloadFor(const std::string& what) {
    if (isReloading_) {
        reloadsAgain_ = true;
        return;
    }
    isReloading_ = true;
    const auto done = std::make_shared<Status>();
    edges_->workshop.run(
        {},
        [this, done] {
            if (auto read = confine("the files", [&] { *done = reload(); }); !read)
                *done = std::move(read);
        },
        [this, done, what] {
            if (!*done)
                log::error(done->error().context(what));
            isReloading_ = false;
            if (std::exchange(reloadsAgain_, false))
                return reloadFor(what);
            if (isReady_)
                sd_notify(0, "READY=1");
        });
}

void Daemon::reloadOnSignal() {
    notifyReloading();
    reloadFor("reload");
}

// ---- the bus --------------------------------------------------------------------------------------------

// Enforcement does not wait for the bus: it is joined when it appears.
void Daemon::joinBus() {
    if (auto joined = bus_.join(); !joined) {
        log::debug(joined.error().message);
        edges_->loop.rearm(joinTimer_, kJoinRetry);
    }
}

std::shared_ptr<SystemdFollower> Daemon::onJoined(sdbus::IConnection& connection) {
    SystemdUnits::Callbacks callbacks;
    callbacks.wanted = [this](const std::string& unit) { return firewall_.units().covers(unit); };
    callbacks.unitCgroup = [this](const std::string& unit, const std::string& path) {
        onUnitCgroup(unit, path);
    };
    callbacks.reloaded = [this] { followUnitFiles(); };
    auto systemd = std::make_shared<SystemdFollower>(
        connection, std::move(callbacks),
        UnitEndings::Callbacks{
            [this](const std::string& unit) { return firewall_.holders().holdsReferences(unit); },
            [this](const std::string& unit) { firewall_.holders().unitEnded(unit); }});
    for (const auto& unit : firewall_.holders().withoutCgroup()) // what ended while nobody looked
        systemd->endings.check(unit);
    systemd_ = systemd;
    return systemd;
}

// systemctl daemon-reload: the units' [X-Filterd] may have changed.
void Daemon::followUnitFiles() { reloadFor("daemon-reload"); }

void Daemon::onLost(const std::string& reason) {
    log::warning("lost the system bus (" + reason + "); filters stay in force");
    edges_->loop.rearm(joinTimer_, kJoinRetry);
}

// ---- units ----------------------------------------------------------------------------------------------

void Daemon::onUnitCgroup(const std::string& unit, const std::string& path) {
    if (auto cgroup = edges_->tree.find(path))
        firewall_.units().appeared({unit, *cgroup});
}

void Daemon::onCgroups() {
    const auto events = edges_->watch.dispatch();
    for (const auto& event : events)
        onCgroup(event);
    if (!events.empty() && configurator_.unitsChanged())
        edges_->loop.rearm(warningsTimer_, kWarningsDelayOfUnits);
}

void Daemon::onCgroup(const CgroupEvent& event) {
    if (const auto* appeared = std::get_if<CgroupAppeared>(&event)) {
        firewall_.units().appeared(appeared->cgroup);
    } else if (const auto* vanished = std::get_if<CgroupVanished>(&event)) {
        onVanished(firewall_.units().vanished(vanished->id));
    } else if (const auto* missed = std::get_if<CgroupMissed>(&event)) {
        onVanished(firewall_.units().missed(missed->path));
    } else {
        rescan("rescan");
        collectLater();
    }
}

// `holder`: the unit that holds references, if it was its last cgroup.
void Daemon::onVanished(const std::optional<std::string>& holder) {
    if (const auto systemd = systemd_.lock(); holder && systemd)
        systemd->endings.check(*holder);
    collectLater();
}

// Nobody else waits for what it needs.
void Daemon::inAttempts(const std::string& what, std::function<Status()> attempt) {
    const auto done = std::make_shared<Status>();
    edges_->workshop.run(
        {},
        [done, what, attempt = std::move(attempt)] {
            if (auto tried = confine(what, [&] { *done = attempt(); }); !tried)
                *done = std::move(tried);
        },
        [done, what] {
            if (!*done)
                log::error(done->error().context(what));
        });
}

void Daemon::rescan(const std::string& why) {
    inAttempts(why, [this] { return firewall_.rescan(); });
}

void Daemon::onOffSwitch() {
    if (!edges_->offSwitch.dispatch())
        return;
    const bool enforcing = edges_->offSwitch.enforcing();
    firewall_.setEnforcing(enforcing);
    rescan(enforcing ? "filterctl on" : "filterctl off");
}

// Reports are there, or a second is over in which not every drop got a line of the journal.
void Daemon::onDrops() {
    const auto now = microsecondsOf(CLOCK_BOOTTIME);
    if (const auto next = drops_.look(now))
        edges_->loop.rearm(dropTimer_, milliseconds((*next > now ? *next - now : 0) / 1'000 + 1));
}

void Daemon::onPins() {
    onOffSwitch(); // who switches off removes pins, too
    const auto removed = edges_->links->dispatch();
    const bool isOurs = std::none_of(removed.names.begin(), removed.names.end(),
                                     [this](const auto& name) { return edges_->kernel.missesLink(name); });
    if ((isOurs && !removed.anything) || !edges_->offSwitch.enforcing())
        return;
    log::warning(
        "pins of filterd's links were removed, which takes them out of force: they are created again");
    inAttempts("removed pins", [this] { return firewall_.files().pinsRemoved(); });
    followPins();
}

// The directories that are there now.
void Daemon::followPins() {
    for (auto* watch : {&*edges_->links, &*edges_->saved})
        if (auto followed = watch->follow(); !followed)
            log::error(followed.error());
}

// The saved state and the good files are replaced by rename, and never missing unless somebody has removed
// them.
void Daemon::onSaved() {
    const auto removed = edges_->saved->dispatch();
    if (removed.anything)
        followPins();
    const auto isGone = [&](const char* pin) {
        std::error_code ignored;
        return (removed.anything || std::count(removed.names.begin(), removed.names.end(), pin) > 0) &&
               !std::filesystem::exists(BpfDirectories{}.pins / pin, ignored);
    };
    const bool state = isGone("state");
    const bool configuration = isGone("configuration");
    if (!state && !configuration)
        return;
    log::warning("the saved state was removed; it is saved again");
    if (state)
        firewall_.stateRemoved();
    if (configuration)
        configurator_.keepAgain();
}

void Daemon::collectLater() {
    if (firewall_.inForce().reconciler().guard().inForce())
        return;
    collectDelay_ = kFirstCollect;
    edges_->loop.rearm(collectTimer_, collectDelay_);
}

void Daemon::collect() {
    if (!firewall_.collectReleased())
        return;
    collectDelay_ = std::min(collectDelay_ * 2, kLastCollect);
    edges_->loop.rearm(collectTimer_, collectDelay_);
}

} // namespace filterd
