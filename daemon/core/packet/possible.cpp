#include "core/packet/possible.hpp"

#include <optional>
#include <set>

namespace filterd::packet {

namespace {

constexpr std::size_t kMostQuestions = 4'000;

// Tries the ways one after another, and remembers on each what was answered.
class Attempt {
  public:
    Attempt(const Decisions& decisions, const std::map<ExprId, std::uint32_t>& known)
        : decisions_(decisions), known_(known) {}

    bool canMatch(NodeId node) {
        if (node.isLeaf())
            return node != kNoMatch;
        if (++questions_ > kMostQuestions)
            return true;
        const Decision decision = decisions_[node];
        if (const auto answer = answerOf(decision))
            return canMatch(*answer ? decision.inside : decision.outside);
        if (!decision.range.isSingle())
            return canMatch(decision.inside) || canMatch(decision.outside);
        known_.emplace(decision.subject, decision.range.low);
        const bool inside = canMatch(decision.inside);
        known_.erase(decision.subject);
        if (inside)
            return true;
        excluded_.emplace(decision.subject, decision.range.low);
        const bool outside = canMatch(decision.outside);
        excluded_.erase({decision.subject, decision.range.low});
        return outside;
    }

  private:
    std::optional<bool> answerOf(const Decision& decision) const {
        if (const auto value = known_.find(decision.subject); value != known_.end())
            return decision.range.contains(value->second);
        const bool isExcluded =
            decision.range.isSingle() && excluded_.contains({decision.subject, decision.range.low});
        return isExcluded ? std::optional(false) : std::nullopt;
    }

    const Decisions& decisions_;
    std::map<ExprId, std::uint32_t> known_;
    std::set<std::pair<ExprId, std::uint32_t>> excluded_;
    std::size_t questions_ = 0;
};

} // namespace

bool canMatch(NodeId rule, const Decisions& decisions, const std::map<ExprId, std::uint32_t>& known) {
    return Attempt(decisions, known).canMatch(rule);
}

bool canMatch(const ClassicProgram& program) {
    Expressions expressions;
    Decisions decisions;
    const auto rule = readClassic(program, expressions, decisions);
    return !rule || canMatch(*rule, decisions);
}

} // namespace filterd::packet
