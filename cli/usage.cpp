#include "cli/usage.hpp"

#include "cli/filter_words.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace filterd::cli {

namespace {

// How many letters have to be changed, added or taken away.
std::size_t distance(std::string_view one, std::string_view other) {
    std::vector<std::size_t> row(other.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < one.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < other.size(); ++j) {
            const std::size_t changed = diagonal + (one[i] == other[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

// "; did you mean 'queue'?", if a verb is so near.
std::string nearTo(const CLI::App& app, const std::string& word) {
    std::string nearest;
    std::size_t least = word.size() / 3 + 1;
    for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; }))
        if (const auto far = distance(word, verb->get_name());
            far < least || (far == least && nearest.empty())) {
            nearest = verb->get_name();
            least = far;
        }
    return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

} // namespace

std::string complaintOf(const CLI::App& app, const CLI::ParseError& error) {
    if (app.get_subcommands().empty())
        for (const auto& word : app.remaining())
            if (!word.starts_with('-'))
                return "there is no verb '" + word + "'" + nearTo(app, word);
    for (const auto& word : app.remaining(true))
        if (isUnitWord(word) && word.starts_with('-'))
            return "'" + word +
                   "' is taken for an option; if it is a unit, write it behind '--', as the last words";
    return error.what();
}

} // namespace filterd::cli
