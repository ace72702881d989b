#pragma once
// org.filterd1.Filter: one loaded filter.

#include "app/firewall.hpp"
#include "dbus/bridge.hpp"
#include "glue/Filter_adaptor.hpp"

namespace filterd {

class FilterObject final : public sdbus::AdaptorInterfaces<org::filterd1::Filter_adaptor> {
  public:
    FilterObject(sdbus::IConnection& connection, const Firewall& firewall, FilterName name);
    ~FilterObject();
    FilterObject(const FilterObject&) = delete;
    FilterObject& operator=(const FilterObject&) = delete;

    void tellChanged();

  private:
    std::string Name() override;
    std::string Digest() override;
    std::string Program() override;
    std::uint32_t ProgramId() override;
    std::string Tag() override;
    std::string Direction() override;
    std::string PinPath() override;
    std::vector<std::string> Maps() override;
    std::vector<sdbus::Struct<std::string, std::string>> References() override;

    [[nodiscard]] Result<FilterView> view() const { return firewall_.filter(name_); }

    const Firewall& firewall_;
    FilterName name_;
};

} // namespace filterd
