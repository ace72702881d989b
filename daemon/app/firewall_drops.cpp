// What the kernel reports of dropped packets, in our words.

#include "app/firewall.hpp"

namespace filterd {

DropOrigin Firewall::originOf(const DropReport& report) const {
    DropOrigin origin;
    if (report.programId != 0) {
        const auto* name = programs_.find(report.programId);
        origin.filter = name != nullptr ? *name : "program " + std::to_string(report.programId);
    }
    origin.unit = reconciler_.unitOfDrop(report, origin.filter);
    return origin;
}

Result<std::string> Firewall::nameForDrops(const std::string& unit) const {
    if (!isAnyUnitName(unit) && !unit.starts_with('/'))
        return failure(ErrorCode::InvalidName, "'" + unit +
                                                   "' is neither a unit name with its suffix "
                                                   "(nginx.service, user@1000.service/app.service) nor an "
                                                   "absolute cgroup path");
    return seenPath(unit);
}

} // namespace filterd
