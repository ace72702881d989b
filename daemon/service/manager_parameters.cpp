// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The manager's method about saved parameters: of filters that need not be loaded.

#include "service/manager_object.hpp"

namespace filterd {

void ManagerObject::UnsetParameters(sdbus::Result<Names>&& result, std::string filter, Names names) {
    filterd::whenAllowed(context_.authority, getObject(), Privilege::Tune, std::move(result),
                         [this, filter, names](const Caller&) -> Result<Names> {
                             const auto name = FilterName::parse(filter);
                             if (!name)
                                 return failure(name.error());
                             auto removed = context_.settings.forget(*name, names);
                             if (!removed)
                                 return failure(removed.error());
                             if (const auto facts = context_.firewall.filters().facts(*name)) {
                                 context_.settings.followFile(**facts, *removed);
                                 context_.parametersChanged(*name);
                             }
                             for (auto& one : *removed)
                                 one = bus::printable(std::move(one));
                             return removed;
                         });
}

} // namespace filterd
