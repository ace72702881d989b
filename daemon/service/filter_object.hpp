// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// org.filterd1.Filter: one loaded filter.

#include "app/filters/filter_settings.hpp"
#include "app/firewall.hpp"
#include "dbus/bridge.hpp"
#include "glue/Filter_adaptor.hpp"
#include "service/authority.hpp"

#include <memory>

namespace filterd {

class FilterObject final : public sdbus::AdaptorInterfaces<org::filterd1::Filter_adaptor> {
  public:
    struct Context {
        const Firewall& firewall;
        FilterSettings& settings;
        Authority& authority;
    };

    FilterObject(sdbus::IConnection& connection, Context context, FilterName name);
    ~FilterObject();
    FilterObject(const FilterObject&) = delete;
    FilterObject& operator=(const FilterObject&) = delete;

    void tellChanged();
    // Before it goes. Not told when the daemon ends: then its filters stay in the kernel.
    void tellVanished();

  private:
    using OptionValues = std::map<std::string, sdbus::Variant>;

    using RuleRow = sdbus::Struct<std::string, std::string, std::uint64_t, std::uint64_t>;
    using VerdictRow = sdbus::Struct<std::string, std::uint64_t, std::uint64_t>;
    std::tuple<std::vector<RuleRow>, VerdictRow, VerdictRow> GetPacketRules() override;
    std::vector<sdbus::Struct<std::string, std::string, std::vector<std::string>>>
    GetSavedParameters() override;
    std::string Name() override;
    std::string Digest() override;
    std::string Program() override;
    std::uint32_t ProgramId() override;
    std::string Tag() override;
    std::string Direction() override;
    std::string PinPath() override;
    std::vector<std::string> Maps() override;
    std::vector<sdbus::Struct<std::string, std::string>> References() override;
    bool FromFile() override;
    std::vector<sdbus::Struct<std::string, std::string, std::string, std::string>> Parameters() override;

    void GetParameter(sdbus::Result<sdbus::Variant>&& result, std::string name) override;
    void SetParameter(sdbus::Result<>&& result, std::string name, sdbus::Variant value,
                      OptionValues options) override;
    std::vector<sdbus::Struct<std::string, std::string, std::string, std::string, std::uint32_t>>
    DescribeMaps() override;
    void MapLookup(sdbus::Result<sdbus::Variant>&& result, std::string map, sdbus::Variant key) override;
    void MapUpdate(sdbus::Result<>&& result, std::string map, sdbus::Variant key,
                   sdbus::Variant value) override;
    void MapDelete(sdbus::Result<>&& result, std::string map, sdbus::Variant key) override;
    void MapDump(sdbus::Result<std::vector<sdbus::Struct<std::string, std::string>>>&& result,
                 std::string map) override;

    [[nodiscard]] Result<const FilterFacts*> facts() const {
        return context_.firewall.filters().facts(name_);
    }
    // Done to the filter: use(facts). At once, or when the caller is known to be allowed to.
    template<typename Use>
    auto asAnyone(Use&& use);
    template<typename... Out, typename Use>
    void whenAllowed(Privilege privilege, sdbus::Result<Out...>&& result, Use use);
    [[nodiscard]] bool isMap(const std::string& name) const;

    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
    Context context_;
    FilterName name_;
};

} // namespace filterd
