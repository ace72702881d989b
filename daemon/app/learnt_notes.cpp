// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/learnt_notes.hpp"

#include "core/packet_rules/rules_text.hpp"

#include <set>
#include <utility>

namespace filterd {

void LearntNotes::learn(const FilterSources& files) {
    std::map<std::string, FilterSources::Definition> wanted;
    for (const auto& name : files.names())
        if (auto definition = files.definition(name); *definition && !(*definition)->rules.rules.empty())
            wanted.emplace((*definition)->rulesDigest, std::move(definition));
    std::vector<std::string> digests;
    std::vector<packet::PacketRules> lists;
    for (const auto& [digest, definition] : wanted)
        if (!known_.contains(digest)) {
            digests.push_back(digest);
            lists.push_back((*definition)->rules);
        }
    auto notes = lists.empty() ? Result<RuleNoter::Notes>() : noter_.notesOn(lists);
    if (!notes)
        return;
    fault_ = *notes ? "" : notes->error().message;
    for (std::size_t i = 0; *notes && i < digests.size(); ++i)
        known_[digests[i]] = std::move(notes->value().at(i));
}

void LearntNotes::keepOnly(const FilterSources& files) {
    std::set<std::string> wanted;
    for (const auto& name : files.names())
        if (const auto definition = files.definition(name); *definition)
            wanted.insert((*definition)->rulesDigest);
    std::erase_if(known_, [&](const auto& entry) { return !wanted.contains(entry.first); });
}

std::vector<packet::RuleNote> LearntNotes::about(const packet::PacketRules& rules) {
    const auto known = rules.rules.empty() ? known_.end() : known_.find(packet::digestOf(rules));
    return known == known_.end() ? std::vector<packet::RuleNote>() : known->second;
}

} // namespace filterd
