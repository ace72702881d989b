// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Unit rules, their queues, and the units that have them.

#include "core/model/first_packets.hpp"
#include "service/manager_object.hpp"
#include "service/queue_request.hpp"
#include "service/variants.hpp"

namespace filterd {

namespace {

using bus::answer;

sdbus::ObjectPath unitPath(const std::string& name) { return bus::encodePath(bus::kUnitPrefix, name); }

} // namespace

void ManagerObject::SetQueue(sdbus::Result<>&& result, std::string unit, Names ingress, Names egress,
                             OptionValues options) {
    const bool own = context_.authority.isUser(getObject(), userOfUnit(unit));
    whenAllowed(own ? Privilege::OwnUserUnits : Privilege::Queues, std::move(result),
                [this, own, unit, ingress, egress, options](const Caller& caller) -> Status {
                    auto request = readQueue(unit, ingress, egress, options);
                    if (!request)
                        return failure(request.error());
                    if (const auto& guard = context_.firewall.inForce().reconciler().guard().support();
                        request->asksToHold && !guard.complete())
                        return failure(cannotHold(guard.reason));
                    request->rule.setBy = caller.uid;
                    if (own) {
                        auto& target = request->rule.targets.front();
                        target = context_.firewall.units().primaryName(target);
                        auto checked = checkRequestOfUser(*request);
                        return checked ? context_.firewall.queues().setOfUser(std::move(request->rule))
                                       : checked;
                    }
                    auto done = context_.firewall.queues().set(std::move(request->rule), request->deadline);
                    context_.trialsChanged();
                    return done;
                });
}

void ManagerObject::edit(sdbus::Result<std::string>&& result, const std::string& unit,
                         Result<QueueEdit> (*read)(const EditArguments&),
                         Result<std::string> (Queues::*apply)(const QueueEdit&), EditArguments arguments) {
    const bool own = context_.authority.isUser(getObject(), userOfUnit(unit));
    whenAllowed(own ? Privilege::OwnUserUnits : Privilege::Queues, std::move(result),
                [this, own, read, apply,
                 arguments = std::move(arguments)](const Caller& caller) -> Result<std::string> {
                    auto edit = read(arguments);
                    if (!edit)
                        return failure(edit.error());
                    if (own && edit->deadline)
                        return failure(confirmIsNotForUsers());
                    if (own)
                        edit->unit = context_.firewall.units().primaryName(edit->unit);
                    edit->setBy = caller.uid;
                    edit->byItsUser = own;
                    auto from = (context_.firewall.queues().*apply)(*edit);
                    context_.trialsChanged();
                    return from;
                });
}

void ManagerObject::AttachFilter(sdbus::Result<std::string>&& result, std::string unit, std::string direction,
                                 std::string filter, OptionValues options) {
    edit(std::move(result), unit, readAttachment, &Queues::attach,
         {unit, direction, filter, std::move(options)});
}

void ManagerObject::DetachFilter(sdbus::Result<std::string>&& result, std::string unit, std::string direction,
                                 std::string filter, OptionValues options) {
    edit(std::move(result), unit, readDetachment, &Queues::detach,
         {unit, direction, filter, std::move(options)});
}

void ManagerObject::ResetQueue(sdbus::Result<>&& result, std::string unit) {
    const bool own = context_.authority.isUser(getObject(), userOfUnit(unit));
    whenAllowed(own ? Privilege::OwnUserUnits : Privilege::Queues, std::move(result),
                [this, own, unit](const Caller&) {
                    return own ? context_.firewall.queues().resetOfUser(
                                     context_.firewall.units().primaryName(unit))
                               : context_.firewall.queues().reset(unit);
                });
}

void ManagerObject::ConfirmQueue(sdbus::Result<>&& result, std::string unit) {
    whenAllowed(Privilege::Queues, std::move(result),
                [this, unit](const Caller&) { return context_.firewall.queues().confirm(unit); });
}

std::vector<
    sdbus::Struct<std::string, ManagerObject::Names, ManagerObject::Names, ManagerObject::Names, std::string>>
ManagerObject::ListUnitRules() {
    return answer([&] {
        std::vector<sdbus::Struct<std::string, Names, Names, Names, std::string>> list;
        for (const auto* rule : context_.firewall.inForce().intent().rules->ordered())
            list.emplace_back(rule->source, rule->targets, textsOf(rule->ingress), textsOf(rule->egress),
                              textOf(rule->onFailure));
        return list;
    });
}

std::vector<sdbus::Struct<std::string, ManagerObject::Names, ManagerObject::Names, ManagerObject::Names,
                          ManagerObject::OptionValues>>
ManagerObject::ListQueues() {
    return answer([&] {
        std::vector<sdbus::Struct<std::string, Names, Names, Names, OptionValues>> list;
        for (const auto* rule : context_.firewall.inForce().intent().rules->ordered())
            list.emplace_back(rule->source, rule->targets, textsOf(rule->ingress), textsOf(rule->egress),
                              optionsOf(*rule, faultsOf(*rule, context_.configurationErrors)));
        return list;
    });
}

sdbus::ObjectPath ManagerObject::GetUnit(const std::string& unit) {
    return answer([&]() -> Result<sdbus::ObjectPath> {
        if (auto valid = checkPattern(unit); !valid)
            return failure(valid.error());
        const auto view = context_.firewall.units().guarded(context_.firewall.units().primaryName(unit));
        return view ? Result<sdbus::ObjectPath>(unitPath((*view)->name)) : failure(view.error());
    });
}

std::vector<sdbus::Struct<std::string, sdbus::ObjectPath, std::string, std::string>>
ManagerObject::ListUnits() {
    return answer([&] {
        std::vector<sdbus::Struct<std::string, sdbus::ObjectPath, std::string, std::string>> list;
        for (const auto& [name, view] : context_.firewall.units().all())
            list.emplace_back(name, unitPath(name), std::string(toString(view.state)), view.rule);
        return list;
    });
}

void ManagerObject::EnsureUnit(const std::string& unit) {
    answer([&]() -> Status {
        if (auto allowed = context_.authority.requireRoot(getObject(), userOfUnit(unit)); !allowed)
            return allowed;
        return context_.firewall.queues().ensure(context_.firewall.units().primaryName(unit));
    });
}

} // namespace filterd
