// The firewall's start: what is in the kernel is adopted, what only we know comes from the store, or, if that
// was lost, as far as it goes from what is attached (I5).

#include "app/firewall.hpp"
#include "base/log.hpp"

#include <algorithm>

namespace filterd {

namespace {

constexpr std::size_t kMostNamed = 20; // in one message

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i)
        text += (text.empty() ? "" : ", ") + names[i];
    if (names.size() > kMostNamed)
        text += " and " + std::to_string(names.size() - kMostNamed) + " more";
    return text.empty() ? "none" : text;
}

// The rule that keeps in force what filters the cgroup now.
Rule ruleFor(const InForce& found) {
    Rule rule{std::string(kBusSource), {found.unit.unit}, {}, {}};
    for (const auto& queue : found.queues) {
        if (!queue)
            continue;
        auto& names = queue->direction == Direction::Ingress ? rule.ingress : rule.egress;
        for (const auto& filter : queue->filters)
            names.push_back(filter.name);
        rule.fallback = queue->fallback;
        rule.logOnly = queue->logOnly;
        rule.logged[static_cast<std::size_t>(queue->direction)] = queue->logged;
    }
    if (!found.isKnown)
        rule.broken =
            "its rule was lost with the saved state, and what is attached does not tell what it was: set "
            "its queue again";
    return rule;
}

} // namespace

Status Firewall::start(const Configuration& configuration, bool enforcing) {
    auto filters = reconciler_.observe();
    if (!filters)
        return failure(filters.error());
    for (const auto& facts : *filters)
        know(facts);
    if (auto restored = restore(); !restored)
        recover(configuration, restored.error());
    reconciler_.setEnforcing(enforcing);
    for (const auto& [name, facts] : facts_)
        publisher_.filterAppeared(name);
    follow(configuration);
    reconciler_.retireOlderGuard();
    finish();
    return {};
}

// An empty store is a first start only if nothing of ours is in the kernel.
Status Firewall::restore() {
    auto text = store_.load();
    if (!text)
        return failure(text.error());
    if (text->empty())
        return facts_.empty() && !reconciler_.isAnythingAttached()
                   ? Status{}
                   : failure(ErrorCode::BadConfiguration, "the saved state is missing");
    auto state = parseState(*text);
    if (!state)
        return failure(state.error());
    saved_ = std::move(*text);
    busGuid_ = state->busGuid;
    for (const auto& [holder, counts] : state->references.all())
        for (const auto& [filter, count] : counts)
            if (facts_.contains(filter))
                references_.acquire(holder, filter, count);
    for (const auto& name : state->defined)
        if (facts_.contains(name))
            definitions_.markLoaded(name);
    for (const auto& rule : state->busRules)
        if (auto set = rules_.set(rule); !set)
            log::error(set.error().context("saved rule"), {log::unit(rule.targets.front())});
    for (const auto& trial : state->trials)
        trials_.start(trial);
    return {};
}

// Names and references are lost, filtering is not: nothing is unloaded or detached on a guess.
void Firewall::recover(const Configuration& configuration, const Error& why) {
    for (const auto& [name, facts] : facts_)
        references_.acquire(Holder::keep(), name);
    if (auto set = rules_.setFiles(configuration.rules); !set)
        log::error(set.error());
    log::warning(
        why.message + "; filters and attachments stay as they are. Rules made anew from what is attached: " +
            listed(recoverRules()) +
            ". Lost: rules of the bus for units that do not run, their OnFailure= and deadlines, references",
        {log::id(log::Message::StateLost), log::code(why.code)});
}

// Of every unit or cgroup that no file covers.
std::vector<std::string> Firewall::recoverRules() {
    std::vector<std::string> targets;
    for (const auto& found : reconciler_.inForce()) {
        if (rules_.match({found.unit.unit, found.unit.cgroup.path}) != nullptr)
            continue;
        if (auto set = rules_.set(ruleFor(found)); !set)
            log::error(set.error(), {log::unit(found.unit.unit)});
        else
            targets.push_back(found.unit.unit);
    }
    return targets;
}

void Firewall::busJoined(const std::string& guid, const std::set<std::string>& clients) {
    std::vector<Holder> gone;
    for (const auto& [holder, counts] : references_.all())
        if (holder.kind == Holder::Kind::Client && (guid != busGuid_ || !clients.contains(holder.name)))
            gone.push_back(holder);
    for (const auto& holder : gone)
        references_.drop(holder);
    busGuid_ = guid;
    finish();
}

} // namespace filterd
