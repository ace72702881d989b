#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "client/session.hpp"

#include <cerrno>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <tuple>

namespace filterd::client {

namespace {

using Options = std::map<std::string, sdbus::Variant>;

Options busOptions(const LoadOptions& options, bool transient) {
    Options result;
    if (!options.program.empty())
        result.emplace("program", sdbus::Variant(options.program));
    if (options.replace)
        result.emplace("replace", sdbus::Variant(true));
    if (transient)
        result.emplace("transient", sdbus::Variant(true));
    return result;
}

// Not blocking and not becoming a controlling terminal, whatever the path names.
sdbus::UnixFd openObject(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd)
        throw sdbus::createError(errno, "cannot open " + path);
    struct stat info {};
    if (::fstat(fd.get(), &info) < 0 || !S_ISREG(info.st_mode))
        throw bus::makeError(filterd::Error{ErrorCode::InvalidObject, path + " is not a regular file"});
    return {fd.release(), sdbus::adopt_fd};
}

// Until a moment in microseconds of CLOCK_BOOTTIME; zero if it has come.
std::chrono::milliseconds timeUntil(std::uint64_t moment) {
    const auto now = bootMilliseconds();
    return std::chrono::milliseconds(moment / 1'000 > now ? moment / 1'000 - now : 0);
}

sdbus::UnixFd objectFor(Session& session, const std::string& path) {
    if (!session.passesFiles())
        throw bus::makeError(filterd::Error{
            ErrorCode::Unsupported,
            "this connection passes no files, as none over ssh does: copy " + path +
                " to where filterd runs, and load it there (ssh HOST filterctl load NAME FILE)"});
    return openObject(path);
}

// Properties of one object, read in one call.
class Properties {
  public:
    Properties(sdbus::IConnection& connection, const std::string& path, const char* interface) {
        const auto proxy = bus::makeProxy(connection, bus::kServiceName, path);
        values_ = bus::properties(*proxy, interface);
    }
    template<typename T>
    [[nodiscard]] T get(const char* name) const {
        const auto found = values_.find(name);
        if (found == values_.end())
            throw bus::makeError("org.freedesktop.DBus.Error.UnknownProperty",
                                 std::string("the daemon has no property ") + name);
        return found->second.get<T>();
    }
    [[nodiscard]] std::string text(const char* name) const { return get<std::string>(name); }
    [[nodiscard]] std::uint32_t number(const char* name) const { return get<std::uint32_t>(name); }
    [[nodiscard]] std::vector<std::string> list(const char* name) const {
        return get<std::vector<std::string>>(name);
    }

  private:
    std::map<std::string, sdbus::Variant> values_;
};

} // namespace

Client::Client(std::shared_ptr<Session> session) noexcept : session_(std::move(session)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(std::chrono::milliseconds timeout) noexcept { return connect({}, timeout); }

Result<Client> Client::connect(const std::string& address, std::chrono::milliseconds timeout) noexcept {
    return guarded(
        [&] { return Client(openSession("the bus", timeout, [&] { return bus::connect(address); })); });
}

Result<Client> Client::connectToHost(const std::string& host, std::chrono::milliseconds timeout) noexcept {
    return guarded([&] {
        auto session = openSession("the bus of " + host, timeout, [&] { return bus::connectToHost(host); });
        session->passNoFiles();
        return Client(std::move(session));
    });
}

Result<Client> Client::connectToMachine(const std::string& machine,
                                        std::chrono::milliseconds timeout) noexcept {
    return guarded([&] {
        return Client(openSession("the bus of the container " + machine, timeout,
                                  [&] { return bus::connectToMachine(machine); }));
    });
}

// ---- Filters --------------------------------------------------------------------------------------------

Result<void> Client::load(const std::string& name, const std::string& object,
                          const LoadOptions& options) noexcept {
    return guarded([&] {
        session_->manager().LoadFilter(name, objectFor(*session_, object), busOptions(options, false));
    });
}

Result<void> Client::loadFromPath(const std::string& name, const std::string& object,
                                  const LoadOptions& options) noexcept {
    return guarded([&] { session_->manager().LoadFilterFromPath(name, object, busOptions(options, false)); });
}

Result<Reference> Client::loadTransient(const std::string& name, const std::string& object,
                                        const LoadOptions& options) noexcept {
    return guarded([&] {
        session_->manager().LoadFilter(name, objectFor(*session_, object), busOptions(options, true));
        return Reference(session_, name);
    });
}

Result<void> Client::loadRules(const std::string& name, const PacketRules& rules,
                               const LoadOptions& options) noexcept {
    return guarded([&] {
        Options all = busOptions(options, false);
        all.emplace("default", sdbus::Variant(rules.byDefault));
        all.emplace("unparsable", sdbus::Variant(rules.unparsable));
        session_->manager().LoadRules(name, rules.rules, all);
    });
}

Result<void> Client::unload(const std::string& name) noexcept {
    return guarded([&] { session_->manager().UnloadFilter(name); });
}

Result<Reference> Client::acquire(const std::string& name) noexcept {
    return guarded([&] {
        session_->manager().AcquireFilter(name);
        return Reference(session_, name);
    });
}

Result<void> Client::acquireForUnit(const std::string& name, const std::string& unit) noexcept {
    return guarded([&] { session_->manager().AcquireFilterForUnit(name, unit); });
}

Result<void> Client::releaseForUnit(const std::string& name, const std::string& unit) noexcept {
    return guarded([&] { session_->manager().ReleaseFilterForUnit(name, unit); });
}

Result<std::vector<FilterSummary>> Client::filters() const noexcept {
    return guarded([&] {
        std::vector<FilterSummary> result;
        for (const auto& entry : session_->manager().ListFilters()) {
            const auto& [name, path, direction, programId, references] = bus::fields(entry);
            result.push_back({name, direction, programId, references});
        }
        return result;
    });
}

Result<Filter> Client::filter(const std::string& name) const noexcept {
    return guarded([&] {
        const std::string path = session_->manager().GetFilter(name);
        const Properties from(session_->connection(), path, "org.filterd1.Filter");
        Filter filter{.name = from.text("Name"),
                      .digest = from.text("Digest"),
                      .program = from.text("Program"),
                      .programId = from.number("ProgramId"),
                      .tag = from.text("Tag"),
                      .direction = from.text("Direction"),
                      .pinPath = from.text("PinPath"),
                      .maps = from.list("Maps"),
                      .references = {}};
        using Pairs = std::vector<sdbus::Struct<std::string, std::string>>;
        for (const auto& pair : from.get<Pairs>("References"))
            filter.references.push_back({std::get<0>(pair), std::get<1>(pair)});
        return filter;
    });
}

Result<PacketRulesState> Client::packetRules(const std::string& name) const noexcept {
    return guarded([&] {
        FilterProxy filter(session_->connection(), session_->manager().GetFilter(name));
        const auto [rules, byDefault, unparsable] = filter.GetRules();
        const auto stateOf = [](const auto& row) {
            return RuleState{std::get<0>(row), {}, std::get<1>(row), std::get<2>(row)};
        };
        PacketRulesState state{
            .rules = {}, .byDefault = stateOf(byDefault), .unparsable = stateOf(unparsable)};
        for (const auto& row : rules)
            state.rules.push_back({std::get<0>(row), std::get<1>(row), std::get<2>(row), std::get<3>(row)});
        return state;
    });
}

// ---- Units ----------------------------------------------------------------------------------------------

Result<std::vector<UnitSummary>> Client::units() const noexcept {
    return guarded([&] {
        std::vector<UnitSummary> result;
        for (const auto& entry : session_->manager().ListUnits()) {
            const auto& [name, path, state, rule] = bus::fields(entry);
            result.push_back({name, state, rule});
        }
        return result;
    });
}

Result<void> Client::ensureUnit(const std::string& name) noexcept {
    return guarded([&] { session_->manager().EnsureUnit(name); });
}

Result<Unit> Client::unit(const std::string& name) const noexcept {
    return guarded([&] {
        const std::string path = session_->manager().GetUnit(name);
        const Properties from(session_->connection(), path, "org.filterd1.Unit");
        return Unit{.name = from.text("Name"),
                    .controlGroup = from.text("ControlGroup"),
                    .controlGroupId = from.get<std::uint64_t>("ControlGroupId"),
                    .state = from.text("State"),
                    .error = from.text("Error"),
                    .rule = from.text("Rule"),
                    .ingressQueue = from.list("IngressQueue"),
                    .egressQueue = from.list("EgressQueue"),
                    .ingressMode = from.text("IngressMode"),
                    .egressMode = from.text("EgressMode"),
                    .modeReason = from.text("ModeReason"),
                    .ingressProgramId = from.number("IngressProgramId"),
                    .egressProgramId = from.number("EgressProgramId")};
    });
}

Result<std::vector<Counters>> Client::counters(const std::string& unit) const noexcept {
    return guarded([&] {
        const std::string path = session_->manager().GetUnit(unit);
        UnitProxy proxy(session_->connection(), path);
        std::vector<Counters> result;
        for (const auto& entry : proxy.GetCounters()) {
            Counters counters{std::get<0>(entry), std::get<1>(entry), {}};
            for (const auto& drops : std::get<2>(entry))
                counters.dropped.push_back({std::get<0>(drops), std::get<1>(drops)});
            result.push_back(std::move(counters));
        }
        return result;
    });
}

Result<std::vector<Traffic>> Client::traffic(const std::string& unit) const noexcept {
    return guarded([&] {
        const std::string path = session_->manager().GetUnit(unit);
        UnitProxy proxy(session_->connection(), path);
        std::vector<Traffic> result;
        for (const auto& entry : proxy.GetTraffic()) {
            Traffic traffic{std::get<0>(entry), std::get<1>(entry), std::get<2>(entry), {}};
            for (const auto& drops : std::get<3>(entry))
                traffic.dropped.push_back({std::get<0>(drops), std::get<1>(drops), std::get<2>(drops)});
            result.push_back(std::move(traffic));
        }
        return result;
    });
}

// ---- Daemon ---------------------------------------------------------------------------------------------

Result<Status> Client::status() const noexcept {
    return guarded([&] {
        const Properties from(session_->connection(), bus::kManagerPath, "org.filterd1.Manager");
        Status status{.version = from.text("Version"),
                      .filters = from.number("FilterCount"),
                      .rules = from.number("RuleCount"),
                      .units = from.number("UnitCount"),
                      .enforcing = from.get<bool>("Enforcing"),
                      .configurationErrors = from.list("ConfigurationErrors"),
                      .unconfirmed = {},
                      .stateSaved = from.get<bool>("StateSaved")};
        using Deadlines = std::vector<sdbus::Struct<std::string, std::uint64_t>>;
        for (const auto& queue : from.get<Deadlines>("UnconfirmedQueues"))
            status.unconfirmed.push_back({std::get<0>(queue), timeUntil(std::get<1>(queue))});
        return status;
    });
}

Result<void> Client::reload() noexcept {
    return guarded([&] { session_->manager().Reload(); });
}

} // namespace filterd::client
