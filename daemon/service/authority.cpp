#include "service/authority.hpp"

namespace filterd {

Status Authority::requireRoot(const sdbus::IObject& object) {
    auto name = bus::callerName(object);
    if (!name)
        return failure(name.error());
    auto known = euids_.find(*name);
    if (known == euids_.end()) {
        auto euid = bus::callerEuid(object);
        if (!euid)
            return failure(euid.error());
        known = euids_.emplace(*name, *euid).first;
    }
    if (known->second == 0)
        return {};
    return failure(ErrorCode::AccessDenied, "only root may change filters and queues; call as root");
}

} // namespace filterd
