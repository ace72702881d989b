// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// org.filterd1.Manager at /org/filterd1.

#include "app/drops/drop_monitor.hpp"
#include "app/filters/filter_settings.hpp"
#include "app/firewall.hpp"
#include "glue/Manager_adaptor.hpp"
#include "service/authority.hpp"
#include "service/drop_followers.hpp"
#include "service/queue_request.hpp"

#include <functional>

namespace filterd {

class ManagerObject final : public sdbus::AdaptorInterfaces<org::filterd1::Manager_adaptor> {
  public:
    struct Context {
        Firewall& firewall;
        Authority& authority;
        DropFollowers& followers;
        const DropMonitor& drops;
        std::function<Status()> reload;
        std::function<void()> trialsChanged;
        const std::vector<std::string>& configurationErrors;
        std::function<std::vector<std::string>()> warnings;
        const std::uint64_t& configurationTime;
        FilterSettings& settings;
        std::function<void(const FilterName&)> parametersChanged;
    };

    ManagerObject(sdbus::IConnection& connection, Context context);
    ~ManagerObject() { unregisterAdaptor(); }
    ManagerObject(const ManagerObject&) = delete;
    ManagerObject& operator=(const ManagerObject&) = delete;

    void tellCounts();
    void tellConfiguration();
    // To those that follow its unit.
    void tellDropped(const Drop& drop);

  private:
    using OptionValues = std::map<std::string, sdbus::Variant>;
    using Names = std::vector<std::string>;
    using TrafficRow =
        sdbus::Struct<std::string, std::string, std::uint64_t, std::uint64_t,
                      std::vector<sdbus::Struct<std::string, std::uint64_t, std::uint64_t, bool>>>;
    using DropRow = sdbus::Struct<std::string, std::string, std::string, std::string, std::string,
                                  std::uint16_t, std::uint64_t, std::uint64_t, bool>;

    void LoadFilter(sdbus::Result<sdbus::ObjectPath>&& result, std::string name, sdbus::UnixFd object,
                    OptionValues options) override;
    void LoadFilterFromPath(sdbus::Result<sdbus::ObjectPath>&& result, std::string name, std::string path,
                            OptionValues options) override;
    void LoadPacketRules(sdbus::Result<sdbus::ObjectPath>&& result, std::string name, Names rules,
                         OptionValues options) override;
    void UnloadFilter(sdbus::Result<>&& result, std::string name) override;
    void AcquireFilter(sdbus::Result<sdbus::ObjectPath>&& result, std::string name) override;
    void ReleaseFilter(sdbus::Result<>&& result, std::string name) override;
    void AcquireFilterForUnit(sdbus::Result<sdbus::ObjectPath>&& result, std::string name,
                              std::string unit) override;
    void ReleaseFilterForUnit(sdbus::Result<>&& result, std::string name, std::string unit) override;
    void UnsetParameters(sdbus::Result<Names>&& result, std::string filter, Names names) override;
    sdbus::ObjectPath GetFilter(const std::string& name) override;
    std::vector<sdbus::Struct<std::string, sdbus::ObjectPath, std::string, std::uint32_t, std::uint32_t>>
    ListFilters() override;
    void SetQueue(sdbus::Result<>&& result, std::string unit, Names ingress, Names egress,
                  OptionValues options) override;
    void AttachFilter(sdbus::Result<std::string>&& result, std::string unit, std::string direction,
                      std::string filter, OptionValues options) override;
    void DetachFilter(sdbus::Result<std::string>&& result, std::string unit, std::string direction,
                      std::string filter, OptionValues options) override;
    void ResetQueue(sdbus::Result<>&& result, std::string unit) override;
    void ConfirmQueue(sdbus::Result<>&& result, std::string unit) override;
    std::vector<sdbus::Struct<std::string, Names, Names, Names, std::string>> ListUnitRules() override;
    std::vector<sdbus::Struct<std::string, Names, Names, Names, OptionValues>> ListQueues() override;
    sdbus::ObjectPath GetUnit(const std::string& unit) override;
    std::vector<sdbus::Struct<std::string, sdbus::ObjectPath, std::string, std::string>> ListUnits() override;
    void EnsureUnit(const std::string& unit) override;
    void Reload(sdbus::Result<>&& result) override;
    std::map<std::string, std::uint64_t> GetGuardCounters() override;
    void FollowDrops(sdbus::Result<>&& result, std::string unit) override;
    void UnfollowDrops(const std::string& unit) override;
    void ListDrops(sdbus::Result<std::vector<DropRow>, std::uint64_t, std::uint64_t>&& result,
                   std::string unit) override;
    void ListTraffic(sdbus::Result<std::vector<TrafficRow>>&& result) override;
    std::tuple<std::map<std::string, std::uint64_t>, std::vector<sdbus::Struct<std::uint64_t, std::uint64_t>>,
               std::uint64_t>
    GetStatistics() override;

    std::string Version() override;
    std::uint32_t FilterCount() override;
    std::uint32_t UnitRuleCount() override;
    std::uint32_t UnitCount() override;
    bool Enforcing() override;
    bool StateSaved() override;
    std::string Guard() override;
    std::string GuardReason() override;
    Names ConfigurationErrors() override;
    Names ConfigurationWarnings() override;
    std::uint64_t ConfigurationTimestamp() override;
    std::vector<sdbus::Struct<std::string, std::uint64_t>> UnconfirmedQueues() override;
    using LoadRow = sdbus::Struct<std::string, std::uint32_t, std::uint64_t, std::uint64_t>;
    std::vector<LoadRow> PendingLoads() override;

    template<typename... Out, typename Body>
    void whenAllowed(Privilege privilege, sdbus::Result<Out...>&& result, Body body);
    // "" stands for all units.
    [[nodiscard]] Result<std::string> followed(const std::string& unit) const;
    void edit(sdbus::Result<std::string>&& result, const std::string& unit,
              Result<QueueEdit> (*read)(const EditArguments&),
              Result<std::string> (Queues::*apply)(const QueueEdit&), EditArguments arguments);
    [[nodiscard]] std::vector<Holder> clientsOf(const Caller& caller) const;
    [[nodiscard]] Status roomForReferences(const Caller& caller, const std::vector<Holder>& holders) const;
    [[nodiscard]] Result<sdbus::ObjectPath> load(const std::string& client, const std::string& name,
                                                 Result<FilterContent> content, const OptionValues& options);

    Context context_;
};

template<typename... Out, typename Body>
void ManagerObject::whenAllowed(Privilege privilege, sdbus::Result<Out...>&& result, Body body) {
    filterd::whenAllowed(context_.authority, getObject(), privilege, std::move(result), std::move(body));
}

} // namespace filterd
