// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/packet_rules/combine.hpp"

#include <algorithm>

namespace filterd::packet {

namespace {

// From here on a search costs less than asking one by one.
constexpr std::size_t kWorthwhileQuestions = 8;
constexpr std::size_t kWorthwhilePerSubject = 2;

struct Question {
    Range range;
    NodeId inside;
};

struct Subject {
    ExprId id = kNoExpr;
    std::vector<Question> questions; // the first that contains a value decides
};

struct Segment {
    std::uint32_t last = 0; // its largest value; it begins behind the segment before
    NodeId target;
};

class Search {
  public:
    explicit Search(Decisions& decisions) : decisions_(decisions) {}

    // Where `hit` is given, it stands for every hit.
    NodeId build(const Subject& subject, const NodeId* hit, NodeId miss) {
        subject_ = subject.id;
        segments_.clear();
        for (const std::uint32_t last : lastValues(subject)) {
            const NodeId target = targetOf(subject, last, hit, miss);
            if (!segments_.empty() && segments_.back().target == target)
                segments_.back().last = last;
            else
                segments_.push_back({last, target});
        }
        return halve(0, segments_.size() - 1);
    }

  private:
    static std::vector<std::uint32_t> lastValues(const Subject& subject) {
        std::vector<std::uint32_t> values{kMaxValue};
        for (const auto& question : subject.questions) {
            if (question.range.low > 0)
                values.push_back(question.range.low - 1);
            values.push_back(question.range.high);
        }
        std::sort(values.begin(), values.end());
        values.erase(std::unique(values.begin(), values.end()), values.end());
        return values;
    }

    // Within a segment all values get the same answers.
    static NodeId targetOf(const Subject& subject, std::uint32_t value, const NodeId* hit, NodeId miss) {
        for (const auto& question : subject.questions)
            if (question.range.contains(value))
                return hit != nullptr ? *hit : question.inside;
        return miss;
    }

    NodeId halve(std::size_t first, std::size_t last) {
        if (first == last)
            return segments_[first].target;
        const std::size_t middle = (first + last) / 2;
        const NodeId low = halve(first, middle);
        return decisions_.decide(subject_, {0, segments_[middle].last}, low, halve(middle + 1, last));
    }

    Decisions& decisions_;
    ExprId subject_ = kNoExpr;
    std::vector<Segment> segments_;
};

} // namespace

NodeId simplify(NodeId root, Decisions& decisions) {
    std::vector<Subject> subjects;
    std::map<ExprId, std::size_t> places;
    std::size_t questions = 0;
    NodeId end = root;
    for (; !end.isLeaf(); ++questions) {
        const Decision& decision = decisions[end];
        const auto [place, isNew] = places.emplace(decision.subject, subjects.size());
        if (isNew)
            subjects.push_back({decision.subject, {}});
        subjects[place->second].questions.push_back({decision.range, decision.inside});
        end = decision.outside;
    }
    if (questions < kWorthwhileQuestions || questions < kWorthwhilePerSubject * subjects.size())
        return root;
    // The last to be searched knows that all others missed, so that its hits lead on at once.
    std::stable_sort(subjects.begin(), subjects.end(), [](const Subject& a, const Subject& b) {
        return a.questions.size() < b.questions.size();
    });
    Search search(decisions);
    NodeId next = search.build(subjects.back(), nullptr, end);
    for (std::size_t i = subjects.size() - 1; i-- > 0;)
        next = search.build(subjects[i], &root, next);
    return next;
}

} // namespace filterd::packet
