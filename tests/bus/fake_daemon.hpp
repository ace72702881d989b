// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A stand-in for the daemon: it implements the three interfaces with canned data on a thread of its own,
// through the same bridge as the daemon.

#include "base/clock.hpp"
#include "dbus/bridge.hpp"
#include "dbus/managed_objects.hpp"
#include "glue/Filter_adaptor.hpp"
#include "glue/Manager_adaptor.hpp"
#include "glue/Unit_adaptor.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace filterd::test {

using Names = std::vector<std::string>;
using Options = std::map<std::string, sdbus::Variant>;

class FakeFilter final : public sdbus::AdaptorInterfaces<org::filterd1::Filter_adaptor> {
  public:
    FakeFilter(sdbus::IConnection& connection, std::string name)
        : AdaptorInterfaces(connection, bus::encodePath(bus::kFilterPrefix, name)), name_(std::move(name)) {
        registerAdaptor();
    }
    ~FakeFilter() { unregisterAdaptor(); }

  private:
    using RuleRow = sdbus::Struct<std::string, std::string, std::uint64_t, std::uint64_t>;
    using VerdictRow = sdbus::Struct<std::string, std::uint64_t, std::uint64_t>;
    std::tuple<std::vector<RuleRow>, VerdictRow, VerdictRow> GetPacketRules() override {
        return {{RuleRow(std::string("allow"), std::string("tcp port 443"), std::uint64_t{7},
                         std::uint64_t{700})},
                VerdictRow(std::string("deny"), std::uint64_t{3}, std::uint64_t{90}),
                VerdictRow(std::string("allow"), std::uint64_t{1}, std::uint64_t{60})};
    }
    std::vector<sdbus::Struct<std::string, std::string, Names>> GetSavedParameters() override {
        return {{std::string("mtu"), std::string("1500"), Names{"1400"}}};
    }
    std::string Name() override { return name_; }
    std::string Digest() override { return std::string(64, 'a'); }
    std::string Program() override { return "drop"; }
    std::uint32_t ProgramId() override { return 42; }
    std::string Tag() override { return "0123456789abcdef"; }
    std::string Direction() override { return "either"; }
    std::string PinPath() override { return "/sys/fs/bpf/filterd/filters/" + name_; }
    Names Maps() override { return {"ports", ".bss"}; }
    std::vector<sdbus::Struct<std::string, std::string>> References() override {
        return {{std::string("keep"), std::string()}, {std::string("rule"), std::string("bus")}};
    }
    bool FromFile() override { return true; }
    std::vector<sdbus::Struct<std::string, std::string, std::string, std::string>> Parameters() override {
        return {{std::string("mtu"), std::string("integer"), std::string("1500"), std::string("live")}};
    }
    void GetParameter(sdbus::Result<sdbus::Variant>&& result, std::string) override {
        result.returnResults(sdbus::Variant(std::uint32_t{1500}));
    }
    void SetParameter(sdbus::Result<>&& result, std::string, sdbus::Variant,
                      std::map<std::string, sdbus::Variant>) override {
        result.returnResults();
    }
    std::vector<sdbus::Struct<std::string, std::string, std::string, std::string, std::uint32_t>>
    DescribeMaps() override {
        return {};
    }
    void MapLookup(sdbus::Result<sdbus::Variant>&& result, std::string, sdbus::Variant) override {
        result.returnResults(sdbus::Variant(std::string("allow")));
    }
    void MapUpdate(sdbus::Result<>&& result, std::string, sdbus::Variant, sdbus::Variant) override {
        result.returnResults();
    }
    void MapDelete(sdbus::Result<>&& result, std::string, sdbus::Variant) override { result.returnResults(); }
    void MapDump(sdbus::Result<std::vector<sdbus::Struct<std::string, std::string>>>&& result,
                 std::string) override {
        result.returnResults({});
    }

    std::string name_;
};

class FakeUnit final : public sdbus::AdaptorInterfaces<org::filterd1::Unit_adaptor> {
  public:
    FakeUnit(sdbus::IConnection& connection, std::string name)
        : AdaptorInterfaces(connection, bus::encodePath(bus::kUnitPrefix, name)), name_(std::move(name)) {
        registerAdaptor();
    }
    ~FakeUnit() { unregisterAdaptor(); }

    std::atomic<int> timesRead = 0; // its state
    std::mutex reading;             // while somebody else has it, the daemon stands still in a reading

  private:
    using Drops = sdbus::Struct<std::string, std::uint64_t, bool>;
    std::vector<sdbus::Struct<std::string, std::uint64_t, std::vector<Drops>>> GetCounters() override {
        return {{std::string("ingress"), std::uint64_t{7},
                 std::vector<Drops>{{std::string("drop@1"), std::uint64_t{3}, true}}}};
    }
    using DropTraffic = sdbus::Struct<std::string, std::uint64_t, std::uint64_t, bool>;
    std::vector<sdbus::Struct<std::string, std::uint64_t, std::uint64_t, std::vector<DropTraffic>>>
    GetTraffic() override {
        return {
            {std::string("ingress"), std::uint64_t{7}, std::uint64_t{700},
             std::vector<DropTraffic>{{std::string("drop@1"), std::uint64_t{3}, std::uint64_t{180}, true}}}};
    }
    std::string Name() override { return name_; }
    std::string ControlGroup() override { return "/system.slice/" + name_; }
    std::uint64_t ControlGroupId() override { return 4711; }
    std::string State() override {
        const std::lock_guard mayRead(reading);
        ++timesRead;
        return "attached";
    }
    std::string Error() override { return ""; }
    std::string Rule() override { return "bus"; }
    Names IngressQueue() override { return {"drop@1"}; }
    Names EgressQueue() override { return {}; }
    std::string IngressMode() override { return "fused"; }
    std::string EgressMode() override { return ""; }
    std::string ModeReason() override { return ""; }
    bool LogOnly() override { return false; }
    std::uint32_t IngressProgramId() override { return 99; }
    std::uint32_t EgressProgramId() override { return 0; }

    std::string name_;
};

class FakeManager final : public sdbus::AdaptorInterfaces<org::filterd1::Manager_adaptor> {
  public:
    explicit FakeManager(sdbus::IConnection& connection)
        : AdaptorInterfaces(connection, bus::ObjectPath(bus::kManagerPath)), filter_(connection, "drop@1"),
          unit_(connection, "nginx.service") {
        registerAdaptor();
        bus::addObjectManager(connection, bus::ObjectPath(bus::kManagerPath));
    }
    ~FakeManager() { unregisterAdaptor(); }

    // Says what the calls did, one word or line each. Read it after a call has been answered.
    Names seen;
    [[nodiscard]] int timesRead() const { return unit_.timesRead; }
    [[nodiscard]] std::unique_lock<std::mutex> holdReading() { return std::unique_lock(unit_.reading); }

  private:
    void allow() {
        const uid_t caller = bus::answer([&] { return bus::callerEuid(getObject()); });
        if (caller != ::geteuid())
            throw bus::makeError(filterd::Error{ErrorCode::AccessDenied, "not yours"});
    }
    static std::string describe(const sdbus::Variant& value) {
        if (value.containsValueOfType<bool>())
            return value.get<bool>() ? "yes" : "no";
        if (value.containsValueOfType<std::uint32_t>())
            return std::to_string(value.get<std::uint32_t>());
        if (value.containsValueOfType<std::map<std::string, std::string>>()) {
            std::string text;
            for (const auto& [name, one] : value.get<std::map<std::string, std::string>>())
                text += (text.empty() ? "" : ",") + name + ":" + one;
            return text;
        }
        return value.get<std::string>();
    }
    static std::string describe(const Options& options) {
        std::string text;
        for (const auto& [key, value] : options)
            text += " " + key + "=" + describe(value);
        return text;
    }
    // Answers by the way that the daemon's answers take, too.
    template<typename... Out, typename Body>
    static void reply(sdbus::Result<Out...>&& result, Body body) {
        try {
            if constexpr (sizeof...(Out) == 0) {
                body();
                result.returnResults();
            } else {
                result.returnResults(body());
            }
        } catch (const sdbus::Error& error) {
            result.returnError(error);
        }
    }

    // "boom" is a bug in the daemon, "taken" and "bytes" are errors of two kinds.
    bus::ObjectPath load(const std::string& name, std::uint64_t size, const Options& options) {
        allow();
        return bus::answer([&]() -> Result<bus::ObjectPath> {
            if (name == "boom")
                throw std::runtime_error("boom");
            if (name == "taken")
                return failure(ErrorCode::FilterNameTaken, "filter taken: other content is loaded");
            if (name == "bytes")
                return failure(ErrorCode::InvalidObject, "not \xff UTF-8");
            if (name == "forged")
                return failure(ErrorCode::InvalidObject, "\x1b[2J\nall is well");
            seen.push_back("load " + name + " " + std::to_string(size) + describe(options));
            return bus::encodePath(bus::kFilterPrefix, name);
        });
    }
    bus::ObjectPath path(const char* prefix, const std::string& name, const char* known, ErrorCode code) {
        return bus::answer([&]() -> Result<bus::ObjectPath> {
            if (name != known)
                return failure(code, name + " is not known");
            return bus::encodePath(prefix, name);
        });
    }

    void LoadFilter(sdbus::Result<sdbus::ObjectPath>&& result, std::string name, sdbus::UnixFd object,
                    Options options) override {
        reply(std::move(result), [&] {
            struct stat info {};
            ::fstat(object.get(), &info);
            return load(name, static_cast<std::uint64_t>(info.st_size), options);
        });
    }
    void LoadFilterFromPath(sdbus::Result<sdbus::ObjectPath>&& result, std::string name, std::string file,
                            Options options) override {
        reply(std::move(result), [&] { return load(name + " from " + file, 0, options); });
    }
    void LoadPacketRules(sdbus::Result<sdbus::ObjectPath>&& result, std::string name, Names rules,
                         Options options) override {
        reply(std::move(result), [&] {
            std::string all;
            for (const auto& rule : rules)
                all += " <" + rule + ">";
            return load(name + all, 0, options);
        });
    }
    void UnloadFilter(sdbus::Result<>&& result, std::string name) override {
        reply(std::move(result), [&] {
            bus::answer([&]() -> Status {
                if (name == "drop@1")
                    return failure(ErrorCode::FilterInUse, "filter drop@1 is held by unit nginx.service");
                seen.push_back("unload " + name);
                return {};
            });
        });
    }
    void AcquireFilter(sdbus::Result<sdbus::ObjectPath>&& result, std::string name) override {
        reply(std::move(result), [&] {
            const auto found = path(bus::kFilterPrefix, name, "drop@1", ErrorCode::NoSuchFilter);
            seen.push_back("acquire " + name);
            return found;
        });
    }
    void ReleaseFilter(sdbus::Result<>&& result, std::string name) override {
        reply(std::move(result), [&] { seen.push_back("release " + name); });
    }
    void AcquireFilterForUnit(sdbus::Result<sdbus::ObjectPath>&& result, std::string name,
                              std::string) override {
        reply(std::move(result),
              [&] { return path(bus::kFilterPrefix, name, "drop@1", ErrorCode::NoSuchFilter); });
    }
    void ReleaseFilterForUnit(sdbus::Result<>&& result, std::string, std::string) override {
        reply(std::move(result), [] {});
    }
    void UnsetParameters(sdbus::Result<Names>&& result, std::string filter, Names names) override {
        std::string told = "unset " + filter;
        for (const auto& name : names)
            told += " " + name;
        seen.push_back(told + (bus::callerAllowsInteraction(getObject()) ? ", may ask" : ""));
        result.returnResults(names);
    }
    sdbus::ObjectPath GetFilter(const std::string& name) override {
        return path(bus::kFilterPrefix, name, "drop@1", ErrorCode::NoSuchFilter);
    }
    std::vector<sdbus::Struct<std::string, sdbus::ObjectPath, std::string, std::uint32_t, std::uint32_t>>
    ListFilters() override {
        return {{std::string("drop@1"), bus::encodePath(bus::kFilterPrefix, "drop@1"), std::string("either"),
                 std::uint32_t{42}, std::uint32_t{2}}};
    }
    void SetQueue(sdbus::Result<>&& result, std::string unit, Names ingress, Names egress,
                  Options options) override {
        reply(std::move(result), [&] {
            seen.push_back("queue " + unit + " " + std::to_string(ingress.size()) + "/" +
                           std::to_string(egress.size()) + describe(options));
            if (ingress.empty() && egress.empty())
                emitUnitFailed(unit, "no queue");
            else
                emitUnitAttached(unit, bus::encodePath(bus::kUnitPrefix, unit));
        });
    }
    void forNginx(sdbus::Result<>&& result, const std::string& verb, const std::string& unit,
                  const std::string& miss) {
        reply(std::move(result), [&] {
            bus::answer([&]() -> Status {
                if (unit != "nginx.service")
                    return failure(ErrorCode::NoSuchUnitRule, miss);
                seen.push_back(verb + " " + unit);
                return {};
            });
        });
    }
    void ResetQueue(sdbus::Result<>&& result, std::string unit) override {
        forNginx(std::move(result), "reset", unit, "no rule for " + unit);
    }
    void ConfirmQueue(sdbus::Result<>&& result, std::string unit) override {
        forNginx(std::move(result), "confirm", unit, "no queue of " + unit + " waits");
    }
    void edit(sdbus::Result<std::string>&& result, const std::string& what, const std::string& unit,
              const Options& options) {
        reply(std::move(result), [&]() -> std::string {
            return bus::answer([&]() -> Result<std::string> {
                if (unit == "other.service")
                    return failure(ErrorCode::NoSuchUnitRule, "no rule covers 'other.service'");
                seen.push_back(what + describe(options));
                return std::string("/etc/filterd/10-web.queue");
            });
        });
    }
    void AttachFilter(sdbus::Result<std::string>&& result, std::string unit, std::string direction,
                      std::string filter, Options options) override {
        edit(std::move(result), "attach " + unit + " " + direction + " " + filter, unit, options);
    }
    void DetachFilter(sdbus::Result<std::string>&& result, std::string unit, std::string direction,
                      std::string filter, Options options) override {
        edit(std::move(result), "detach " + unit + " " + direction + " " + filter, unit, options);
    }
    std::vector<sdbus::Struct<std::string, Names, Names, Names, Options>> ListQueues() override {
        const auto options = [](const char* onFailure, bool logOnly) {
            return Options{{"on-failure", sdbus::Variant(std::string(onFailure))},
                           {"fallback", sdbus::Variant(std::string("allow"))},
                           {"log-only", sdbus::Variant(logOnly)}};
        };
        auto broken = options("hold", true);
        broken.emplace("error", sdbus::Variant(std::string("/etc/filterd/10-web.queue:3: unknown key")));
        return {
            {std::string("bus"), Names{"nginx.service"}, Names{"drop@1"}, Names{}, options("pass", false)},
            {std::string("/etc/filterd/10-web.queue"), Names{"web@*.service", "api.service"}, Names{"drop@1"},
             Names{"count"}, std::move(broken)}};
    }
    std::vector<sdbus::Struct<std::string, Names, Names, Names, std::string>> ListUnitRules() override {
        return {{std::string("bus"), Names{"nginx.service"}, Names{"drop@1"}, Names{}, std::string("pass")},
                {std::string("/etc/filterd/10-web.queue"), Names{"web@*.service", "api.service"},
                 Names{"drop@1"}, Names{"count"}, std::string("hold")}};
    }
    sdbus::ObjectPath GetUnit(const std::string& unit) override {
        return path(bus::kUnitPrefix, unit, "nginx.service", ErrorCode::NoSuchUnit);
    }
    std::vector<sdbus::Struct<std::string, sdbus::ObjectPath, std::string, std::string>>
    ListUnits() override {
        return {{std::string("nginx.service"), bus::encodePath(bus::kUnitPrefix, "nginx.service"),
                 std::string("attached"), std::string("bus")}};
    }
    void EnsureUnit(const std::string& unit) override {
        bus::answer([&]() -> Status {
            if (unit == "nginx.service")
                return {};
            return failure(ErrorCode::NoSuchUnitRule, "no rule covers '" + unit + "'");
        });
    }
    void Reload(sdbus::Result<>&& result) override {
        reply(std::move(result), [] {
            bus::answer([]() -> Status {
                return failure(ErrorCode::BadConfiguration, "/etc/filterd/x.queue:3: unknown key Foo");
            });
        });
    }

    // Tells of one dropped packet at once.
    void FollowDrops(sdbus::Result<>&& result, std::string unit) override {
        reply(std::move(result), [&] {
            bus::answer([&]() -> Status {
                if (unit == "secret.service")
                    return failure(ErrorCode::AccessDenied, "not yours");
                seen.push_back("follow " + unit);
                return {};
            });
        });
        const auto caller = bus::callerName(getObject());
        const std::map<std::string, sdbus::Variant> packet{
            {"protocol", sdbus::Variant(std::string("tcp"))},
            {"source", sdbus::Variant(std::string("192.0.2.7"))},
            {"source-port", sdbus::Variant(std::uint16_t{51234})},
            {"destination", sdbus::Variant(std::string("192.0.2.1"))},
            {"destination-port", sdbus::Variant(std::uint16_t{22})},
            {"length", sdbus::Variant(std::uint32_t{60})},
            {"cgroup", sdbus::Variant(std::uint64_t{4711})},
            {"log-only", sdbus::Variant(true)},
            {"headers", sdbus::Variant(std::vector<std::uint8_t>{0x45, 0, 0, 60})}};
        if (caller)
            bus::emitTo(getObject(), *caller, INTERFACE_NAME, "PacketDropped", std::uint64_t{1'000'001},
                        std::string("nginx.service"), std::string("ingress"), std::string("drop@1"), packet);
    }
    void UnfollowDrops(const std::string& unit) override { seen.push_back("unfollow " + unit); }
    using DropRow = sdbus::Struct<std::string, std::string, std::string, std::string, std::string,
                                  std::uint16_t, std::uint64_t, std::uint64_t, bool>;
    void ListDrops(sdbus::Result<std::vector<DropRow>, std::uint64_t, std::uint64_t>&& result,
                   std::string unit) override {
        std::vector<DropRow> rows;
        if (unit == "nginx.service")
            rows.emplace_back(std::string("ingress"), std::string("drop@1"), std::string("tcp"),
                              std::string("192.0.2.7"), std::string("192.0.2.1"), std::uint16_t{22},
                              std::uint64_t{5}, std::uint64_t{1'000'001}, true);
        result.returnResults(rows, std::uint64_t{9}, std::uint64_t{1'000'000});
    }

    std::string Version() override { return "0.1.0"; }
    std::uint32_t FilterCount() override { return 1; }
    std::uint32_t UnitRuleCount() override { return 2; }
    std::uint32_t UnitCount() override { return 1; }
    bool Enforcing() override { return true; }
    bool StateSaved() override { return false; }
    std::map<std::string, std::uint64_t> GetGuardCounters() override {
        return {{"held", 1}, {"interim-packets", 2}, {"missing-queue-drops", 3}, {"overflow-drops", 4}};
    }
    using TrafficDrops = sdbus::Struct<std::string, std::uint64_t, std::uint64_t, bool>;
    using TrafficRow =
        sdbus::Struct<std::string, std::string, std::uint64_t, std::uint64_t, std::vector<TrafficDrops>>;
    void ListTraffic(sdbus::Result<std::vector<TrafficRow>>&& result) override {
        result.returnResults({TrafficRow(
            std::string("nginx.service"), std::string("ingress"), std::uint64_t{7}, std::uint64_t{700},
            std::vector<TrafficDrops>{{std::string("drop@1"), std::uint64_t{3}, std::uint64_t{300}, true}})});
    }
    std::tuple<std::map<std::string, std::uint64_t>, std::vector<sdbus::Struct<std::uint64_t, std::uint64_t>>,
               std::uint64_t>
    GetStatistics() override {
        using Bucket = sdbus::Struct<std::uint64_t, std::uint64_t>;
        return {{{"holds", 2}},
                {Bucket{std::uint64_t{1'000}, std::uint64_t{1}}, Bucket{UINT64_MAX, std::uint64_t{2}}},
                5'500};
    }
    std::string Guard() override { return "active"; }
    std::string GuardReason() override { return ""; }
    std::vector<sdbus::Struct<std::string, std::uint64_t>> UnconfirmedQueues() override {
        return {{std::string("nginx.service"), (bootMilliseconds() + 30'000) * 1'000}};
    }
    std::vector<sdbus::Struct<std::string, std::uint32_t, std::uint64_t, std::uint64_t>>
    PendingLoads() override {
        return {{"filter 'web'", 1'000U, std::uint64_t{1'700'000'000'000'000},
                 std::uint64_t{1'700'000'001'000'000}},
                {"filter 'db'", 0U, std::uint64_t{1'700'000'002'000'000}, std::uint64_t{0}}};
    }
    Names ConfigurationWarnings() override {
        return {"bus: 'ngnix.service' covers no unit that systemd knows"};
    }
    std::uint64_t ConfigurationTimestamp() override { return 1'700'000'000'000'000; }
    Names ConfigurationErrors() override { return {"/etc/filterd/x.queue:3: unknown key Foo"}; }

    FakeFilter filter_;
    FakeUnit unit_;
};

// The loop, the connection and the objects live on the thread; the test sees the manager between calls only.
class FakeDaemon {
  public:
    explicit FakeDaemon(const std::string& address) : stop_(::eventfd(0, EFD_CLOEXEC)) {
        std::promise<void> started;
        auto ready = started.get_future();
        thread_ = std::thread([this, address, &started] { run(address, started); });
        ready.get();
    }
    FakeDaemon(const FakeDaemon&) = delete;
    FakeDaemon& operator=(const FakeDaemon&) = delete;
    ~FakeDaemon() {
        const std::uint64_t one = 1;
        static_cast<void>(::write(stop_, &one, sizeof one));
        thread_.join();
        ::close(stop_);
    }

    [[nodiscard]] bool saw(const std::string& line) const {
        return std::find(manager_->seen.begin(), manager_->seen.end(), line) != manager_->seen.end();
    }
    [[nodiscard]] int timesRead() const { return manager_->timesRead(); }
    // Whoever reads the unit waits while this lives, and the daemon with him.
    [[nodiscard]] std::unique_lock<std::mutex> holdReading() { return manager_->holdReading(); }
    // Ready when the bus has gone.
    [[nodiscard]] std::future<std::string> lost() { return lost_.get_future(); }

  private:
    void run(const std::string& address, std::promise<void>& started) {
        sd_event* loop = nullptr;
        sd_event_new(&loop);
        const auto connection = bus::connect(address);
        manager_ = std::make_unique<FakeManager>(*connection);
        std::unique_ptr<bus::LoopAttachment> attachment;
        attachment = std::make_unique<bus::LoopAttachment>(*connection, loop, [&](const std::string& reason) {
            attachment.reset();
            lost_.set_value(reason);
        });
        auto managedObjects =
            std::make_unique<bus::ManagedObjects>(*connection, loop, bus::ObjectPath(bus::kManagerPath));
        sd_event_source* stop = nullptr;
        sd_event_add_io(
            loop, &stop, stop_, EPOLLIN,
            [](sd_event_source* source, int, std::uint32_t, void*) {
                return sd_event_exit(sd_event_source_get_event(source), 0);
            },
            nullptr);
        connection->requestName(bus::BusName(bus::kServiceName));
        started.set_value();
        sd_event_loop(loop);
        sd_event_source_unref(stop);
        managedObjects.reset();
        attachment.reset();
        manager_.reset();
        sd_event_unref(loop);
    }

    int stop_;
    std::unique_ptr<FakeManager> manager_;
    std::promise<std::string> lost_;
    std::thread thread_;
};

} // namespace filterd::test
