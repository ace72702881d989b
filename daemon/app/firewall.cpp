#include "app/firewall.hpp"

#include "base/log.hpp"

namespace filterd {

Firewall::Firewall(FilterKernel& kernel, CgroupTree& tree, StateStore& store, Publisher& publisher)
    : kernel_(kernel), tree_(tree), store_(store), publisher_(publisher),
      reconciler_(kernel, tree, publisher, {rules_, loaded_, definitions_.failures(), referenced_}) {}

void Firewall::refreshReferenced() {
    referenced_.clear();
    for (const auto& [holder, counts] : references_.all())
        for (const auto& [filter, count] : counts)
            referenced_.insert(filter);
    referenced_.merge(trials_.filters());
    for (const auto& [name, file] : definitions_.loadedAtOnce())
        if (facts_.contains(name))
            referenced_.insert(name);
}

void Firewall::publishUnloaded() {
    std::vector<FilterName> gone;
    for (const auto& [name, facts] : facts_)
        if (!reconciler_.isLoaded(facts.instance))
            gone.push_back(name);
    for (const auto& name : gone) {
        facts_.erase(name);
        loaded_.erase(name);
        references_.forget(name);
        definitions_.unmark(name);
        log::info("unloaded filter " + name.text(),
                  {log::id(log::Message::FilterUnloaded), log::filter(name.text())});
        publisher_.filterVanished(name);
        publisher_.countsChanged();
    }
}

void Firewall::finish() {
    refreshReferenced();
    reconciler_.collect();
    publishUnloaded();
    save();
}

// What is in force stays in force, whether it could be saved or not (I2).
void Firewall::save() {
    auto text = serialise({busGuid_, references_, rules_.busRules(), trials_.all(), definitions_.loaded()});
    if (text == saved_)
        return;
    const auto done = store_.save(text);
    if (done)
        saved_ = std::move(text);
    if (done.has_value() == isSaved_)
        return;
    isSaved_ = done.has_value();
    if (isSaved_)
        log::info("rules and references are saved again", {log::id(log::Message::StateSaved)});
    else
        log::error(
            done.error().context("rules and references are not saved, and would be lost with this process"),
            {log::id(log::Message::StateNotSaved)});
    publisher_.countsChanged();
}

void Firewall::stateRemoved() {
    saved_.clear();
    save();
}

void Firewall::saveAgain() {
    if (!isSaved_)
        save();
}

} // namespace filterd
