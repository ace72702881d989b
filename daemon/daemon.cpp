// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "daemon.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"
#include "kernel/cgroup_directory.hpp"

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

// Adds the source, or passes its error on.
Status keep(std::vector<EventLoop::Handle>& sources, Result<EventLoop::Handle> source) {
    if (!source)
        return failure(source.error());
    sources.push_back(std::move(*source));
    return {};
}

void notifyReloading() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds = static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", microseconds);
}

} // namespace

Daemon::Daemon(InstanceLock lock, EventLoop loop, CgroupFs tree, CgroupWatch watch, SwitchWatch power)
    : lock_(std::move(lock)), loop_(std::move(loop)), tree_(std::move(tree)), watch_(std::move(watch)),
      power_(std::move(power)), kernel_(watchedIntake_, tree_), settings_(kernel_.values(), parameters_),
      bus_(loop_, {[this] { return reload(); }, [this] { trials_.look(); },
                   [this](sdbus::IConnection& connection) { return onJoined(connection); },
                   [this](const std::string& reason) { onLost(reason); },
                   [this] { return configurator_.warnings(); }}),
      teller_(loop_, bus_), firewall_(kernel_, tree_, state_, teller_),
      drops_(firewall_, [this](const Drop& drop) { bus_.packetDropped(drop); }), trials_(loop_, firewall_),
      configurator_([this](const Configuration& last) { return readFiles(last); },
                    [this] { return runningUnits(tree_); }, lastConfiguration_, firewall_, expressions_) {
    firewall_.onLoaded([this](const FilterFacts& filter) {
        settings_.restore(filter);
        if (configurator_.filterLoaded(filter))
            loop_.rearm(warningsTimer_, kWarningsDelay);
    });
    firewall_.findFilesBy([this](const FilterName& name) { return files_.fileOf(name); });
    settings_.knowFilesBy([this](const FilterName& name) {
        const auto definition = firewall_.definitions().define(name);
        return definition ? definition->parameters : std::map<std::string, std::string>();
    });
    firewall_.knowUsersBy(userExists);
    firewall_.onRulesSet([this](const std::string& target) {
        configurator_.rulesChanged(target);
        loop_.rearm(warningsTimer_, kWarningsDelay);
    });
    firewall_.followBareCgroupsBy([this](const auto& paths) { watch_.follow(paths); });
    bus_.serve(firewall_, settings_, drops_);
    teller_.watch(firewall_);
}

Result<std::unique_ptr<Daemon>> Daemon::create() {
    auto lock = InstanceLock::take(); // before anything is touched
    if (!lock)
        return failure(lock.error());
    if (auto blocked = blockSignals({SIGTERM, SIGINT, SIGHUP}); !blocked)
        return failure(blocked.error());
    auto loop = EventLoop::create();
    if (!loop)
        return failure(loop.error());
    auto mount = cgroup2Mount();
    if (!mount)
        return failure(mount.error());
    auto watch = CgroupWatch::create(*mount); // before the tree is read: nothing is missed
    if (!watch)
        return failure(watch.error());
    auto tree = CgroupFs::create(*mount);
    if (!tree)
        return failure(tree.error());
    auto bootedOff = switchOffIfBootedOff();
    if (!bootedOff)
        return failure(bootedOff.error());
    if (*bootedOff)
        log::warning("filterd=off on the kernel command line: nothing is filtered until filterctl on",
                     {log::id(log::Message::SwitchedOff)});
    auto power = SwitchWatch::create();
    if (!power)
        return failure(power.error());
    return std::unique_ptr<Daemon>(new Daemon(std::move(*lock), std::move(*loop), std::move(*tree),
                                              std::move(*watch), std::move(*power)));
}

Status Daemon::run() {
    if (auto started = start(); !started)
        return started;
    joinBus();
    teller_.tellReady();
    log::info("ready: " + std::to_string(firewall_.filters().size()) + " filters, " +
              std::to_string(firewall_.units().size()) + " guarded units");
    auto done = loop_.run();
    sd_notify(0, "STOPPING=1");
    log::info("stopping; filters stay in force");
    return done;
}

Status Daemon::start() {
    loop_.keepWatchdogFed();
    if (auto listening = listen(); !listening)
        return listening;
    if (auto opened = openGuard(); !opened)
        return opened;
    if (auto hearing = hearOfDrops(); !hearing)
        return hearing;
    if (auto started = configurator_.start(power_.enforcing()); !started)
        return started;
    tellConfiguration();
    trials_.look(); // a deadline may have passed meanwhile
    collectLater(); // what a run before this one left
    return {};
}

Status Daemon::listen() {
    if (auto listening = trials_.listen(); !listening)
        return listening;
    if (auto listening = teller_.listen(); !listening)
        return listening;
    auto joinTimer = loop_.onTimer([this] { joinBus(); });
    auto collectTimer = loop_.onTimer([this] { collect(); });
    auto dropTimer = loop_.onTimer([this] { onDrops(); });
    auto warningsTimer = loop_.onTimer([this] { tellWarnings(); });
    for (const auto* timer : {&joinTimer, &collectTimer, &dropTimer, &warningsTimer})
        if (!*timer)
            return failure(timer->error());
    joinTimer_ = *joinTimer;
    collectTimer_ = *collectTimer;
    dropTimer_ = *dropTimer;
    warningsTimer_ = *warningsTimer;
    // A call that comes after 'filterctl off' has returned is answered by a daemon that knows of it.
    for (auto& source :
         {loop_.onReadableFirst(power_.fd(), [this] { onPower(); }),
          loop_.onReadable(watch_.fd(), [this] { onCgroups(); }),
          loop_.afterOthers([this] { firewall_.saveAgain(); }),
          loop_.onSignal(SIGTERM, [this] { loop_.stop(); }), loop_.onSignal(SIGINT, [this] { loop_.stop(); }),
          loop_.onSignal(SIGHUP, [this] { reloadOnSignal(); })})
        if (auto kept = keep(sources_, source); !kept)
            return kept;
    return {};
}

Status Daemon::watchPins() {
    auto pins = PinWatch::create(BpfDirectories{}.pins / "links");
    if (!pins)
        return failure(pins.error());
    pins_ = std::move(*pins);
    auto saved = PinWatch::create(BpfDirectories{}.pins);
    if (!saved)
        return failure(saved.error());
    saved_ = std::move(*saved);
    for (auto& source : {loop_.onReadable(pins_->fd(), [this] { onPins(); }),
                         loop_.onReadable(saved_->fd(), [this] { onSaved(); })})
        if (auto kept = keep(sources_, source); !kept)
            return kept;
    return {};
}

Status Daemon::openGuard() {
    if (auto prepared = kernel_.prepare(); !prepared)
        return prepared;
    if (auto watching = watchPins(); !watching)
        return watching;
    GuardConfig config;
    config.bpffs = BpfDirectories{}.pins;
    config.cgroupRoot = tree_.root();
    auto opened = filterd::openGuard(config);
    if (!opened)
        return failure(opened.error().context("the guard"));
    if (!opened->support.reason.empty())
        log::warning(
            "the guard: " + opened->support.reason +
                (opened->guard ? "" : "; units are attached by signals, some milliseconds after their start"),
            {log::id(log::Message::GuardLacking), log::code(ErrorCode::Unsupported)});
    if (const auto* guard = opened->guard.get())
        for (auto& source : {loop_.onReadable(guard->newsFd(), [this] { firewall_.guardNews(); }),
                             loop_.onReadable(guard->graceFd(), [this] { firewall_.graceFinished(); })})
            if (auto kept = keep(sources_, source); !kept)
                return kept;
    firewall_.useGuard(std::move(opened->guard), std::move(opened->support));
    return {};
}

// Once the kernel's room is prepared.
Status Daemon::hearOfDrops() {
    auto& reports = kernel_.dropReports();
    if (reports.fd() >= 0)
        if (auto kept = keep(sources_, loop_.onReadable(reports.fd(), [this] { onDrops(); })); !kept)
            return kept;
    drops_.useReports(&reports);
    return {};
}

// ---- configuration --------------------------------------------------------------------------------------

// The time is taken before: what changes meanwhile counts as changed.
Configuration Daemon::readFiles(const Configuration& last) {
    filesReadAt_ = microsecondsOf(CLOCK_REALTIME);
    auto configuration = files_.read(last);
    for (auto& fault : parameters_.faults())
        configuration.warnings.push_back(std::move(fault));
    return configuration;
}

void Daemon::tellConfiguration() {
    auto errors = configurator_.errors();
    for (auto& stranger : kernel_.strangers())
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
    tellConfiguration();
    return done;
}

void Daemon::reloadOnSignal() {
    notifyReloading();
    if (auto done = reload(); !done)
        log::error(done.error().context("reload"));
    sd_notify(0, "READY=1");
}

// ---- the bus --------------------------------------------------------------------------------------------

// Enforcement does not wait for the bus: it is joined when it appears.
void Daemon::joinBus() {
    if (auto joined = bus_.join(); !joined) {
        log::debug(joined.error().message);
        loop_.rearm(joinTimer_, kJoinRetry);
    }
}

std::shared_ptr<SystemdFollower> Daemon::onJoined(sdbus::IConnection& connection) {
    SystemdUnits::Callbacks callbacks;
    callbacks.wanted = [this](const std::string& unit) { return firewall_.covers(unit); };
    callbacks.unitCgroup = [this](const std::string& unit, const std::string& path) {
        onUnitCgroup(unit, path);
    };
    callbacks.reloaded = [this] { followUnitFiles(); };
    auto systemd = std::make_shared<SystemdFollower>(
        connection, std::move(callbacks),
        UnitEndings::Callbacks{[this](const std::string& unit) { return firewall_.holdsReferences(unit); },
                               [this](const std::string& unit) { firewall_.unitEnded(unit); }});
    for (const auto& unit : firewall_.holdersWithoutCgroup()) // what ended while nobody looked
        systemd->endings.check(unit);
    systemd_ = systemd;
    return systemd;
}

// systemctl daemon-reload: the units' [X-Filterd] may have changed.
void Daemon::followUnitFiles() {
    if (auto done = reload(); !done)
        log::error(done.error().context("daemon-reload"));
}

void Daemon::onLost(const std::string& reason) {
    log::warning("lost the system bus (" + reason + "); filters stay in force");
    loop_.rearm(joinTimer_, kJoinRetry);
}

// ---- units ----------------------------------------------------------------------------------------------

void Daemon::onUnitCgroup(const std::string& unit, const std::string& path) {
    if (auto cgroup = tree_.find(path))
        firewall_.cgroupAppeared({unit, *cgroup});
}

void Daemon::onCgroups() {
    const auto events = watch_.dispatch();
    for (const auto& event : events)
        onCgroup(event);
    if (!events.empty() && configurator_.unitsChanged())
        loop_.rearm(warningsTimer_, kWarningsDelayOfUnits);
}

void Daemon::onCgroup(const CgroupEvent& event) {
    if (const auto* appeared = std::get_if<CgroupAppeared>(&event)) {
        firewall_.cgroupAppeared(appeared->cgroup);
    } else if (const auto* vanished = std::get_if<CgroupVanished>(&event)) {
        const auto holder = firewall_.cgroupVanished(vanished->id);
        if (const auto systemd = systemd_.lock(); holder && systemd)
            systemd->endings.check(*holder);
        collectLater();
    } else {
        rescan();
    }
}

void Daemon::rescan() {
    if (auto done = firewall_.rescan(); !done)
        log::error(done.error().context("rescan"));
    collectLater();
}

void Daemon::onPower() {
    if (!power_.dispatch())
        return;
    if (auto done = firewall_.setEnforcing(power_.enforcing()); !done)
        log::error(done.error().context(power_.enforcing() ? "filterctl on" : "filterctl off"));
}

// Reports are there, or a second is over in which not every drop got a line of the journal.
void Daemon::onDrops() {
    const auto now = microsecondsOf(CLOCK_BOOTTIME);
    if (const auto next = drops_.look(now))
        loop_.rearm(dropTimer_, milliseconds((*next > now ? *next - now : 0) / 1'000 + 1));
}

void Daemon::onPins() {
    onPower(); // who switches off removes pins, too
    const auto removed = pins_->dispatch();
    const bool isOurs = std::none_of(removed.names.begin(), removed.names.end(),
                                     [this](const auto& name) { return kernel_.missesLink(name); });
    if ((isOurs && !removed.anything) || !power_.enforcing())
        return;
    log::warning(
        "pins of filterd's links were removed, which takes them out of force: they are created again");
    if (auto done = firewall_.pinsRemoved(); !done)
        log::error(done.error());
    followPins();
}

// The directories that are there now.
void Daemon::followPins() {
    for (auto* watch : {&*pins_, &*saved_})
        if (auto followed = watch->follow(); !followed)
            log::error(followed.error());
}

// The saved state and the good files are replaced by rename, and never missing unless somebody has removed
// them.
void Daemon::onSaved() {
    const auto removed = saved_->dispatch();
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
    if (firewall_.guard().inForce())
        return;
    collectDelay_ = kFirstCollect;
    loop_.rearm(collectTimer_, collectDelay_);
}

void Daemon::collect() {
    if (!firewall_.collectReleased())
        return;
    collectDelay_ = std::min(collectDelay_ * 2, kLastCollect);
    loop_.rearm(collectTimer_, collectDelay_);
}

} // namespace filterd
