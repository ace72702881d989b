// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// org.filterd1.Unit: a unit that a rule covers and that has a cgroup.

#include "app/firewall.hpp"
#include "dbus/bridge.hpp"
#include "glue/Unit_adaptor.hpp"

namespace filterd {

class UnitObject final : public sdbus::AdaptorInterfaces<org::filterd1::Unit_adaptor> {
  public:
    UnitObject(sdbus::IConnection& connection, Firewall& firewall, std::string name);
    ~UnitObject();
    UnitObject(const UnitObject&) = delete;
    UnitObject& operator=(const UnitObject&) = delete;

    void tellChanged(const UnitView& before, const UnitView& now);
    // Before it goes. Not told when the daemon ends: then its queues stay in the kernel.
    void tellVanished();

  private:
    std::vector<sdbus::Struct<std::string, std::uint64_t,
                              std::vector<sdbus::Struct<std::string, std::uint64_t, bool>>>>
    GetCounters() override;
    using DropTraffic = sdbus::Struct<std::string, std::uint64_t, std::uint64_t, bool>;
    std::vector<sdbus::Struct<std::string, std::uint64_t, std::uint64_t, std::vector<DropTraffic>>>
    GetTraffic() override;

    std::string Name() override;
    std::string ControlGroup() override;
    std::uint64_t ControlGroupId() override;
    std::string State() override;
    std::string Error() override;
    std::string Rule() override;
    std::vector<std::string> IngressQueue() override;
    std::vector<std::string> EgressQueue() override;
    std::string IngressMode() override;
    std::string EgressMode() override;
    std::string ModeReason() override;
    bool LogOnly() override;
    std::uint32_t IngressProgramId() override;
    std::uint32_t EgressProgramId() override;

    template<typename Field>
    auto field(Field&& read) const;

    Firewall& firewall_;
    std::string name_;
};

} // namespace filterd
