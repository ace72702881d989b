#pragma once
// Who may do what (I6): effective user id 0, as the bus knows it. Nothing the caller says of itself counts.

#include "base/result.hpp"
#include "dbus/bridge.hpp"

#include <map>
#include <string>

namespace filterd {

class Authority {
  public:
    // For the message that `object` is handling now. AccessDenied.
    [[nodiscard]] Status requireRoot(const sdbus::IObject& object);
    // A unique name is never given twice on one bus, but nobody asks for it again.
    void forget(const std::string& client) { euids_.erase(client); }

  private:
    std::map<std::string, uid_t> euids_; // by unique bus name
};

} // namespace filterd
