#include "cli/table.hpp"

#include <algorithm>

namespace filterd::cli {

namespace {

constexpr std::size_t kGap = 2;

// Characters, not bytes: what continues a UTF-8 sequence takes no room.
std::size_t widthOf(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xc0') != '\x80'; }));
}

} // namespace

std::vector<std::size_t> Table::widths() const {
    std::vector<std::size_t> widths;
    for (const auto& title : heading_)
        widths.push_back(title.size());
    for (const auto& row : rows_)
        for (std::size_t column = 0; column < row.size(); ++column)
            widths[column] = std::max(widths[column], widthOf(row[column].text));
    return widths;
}

std::vector<std::string> Table::aligned() const {
    const auto width = widths();
    std::vector<std::string> lines;
    const auto add = [&](const std::vector<Cell>& row) {
        std::string text;
        for (std::size_t column = 0; column < row.size(); ++column) {
            text += coloured(row[column].text, row[column].colour);
            if (column + 1 < row.size())
                text += std::string(width[column] - widthOf(row[column].text) + kGap, ' ');
        }
        lines.push_back(std::move(text));
    };
    std::vector<Cell> titles;
    for (const auto& title : heading_)
        titles.emplace_back(title, Colour::Bold);
    add(titles);
    for (const auto& row : rows_)
        add(row);
    return lines;
}

void Table::print(const std::string& one, const std::string& many, const std::string& rest) const {
    if (isTerminal()) {
        for (const auto& line : aligned())
            cli::print(line + "\n");
        cli::print("\n" + std::to_string(rows_.size()) + " " + (rows_.size() == 1 ? one : many) + rest +
                   "\n");
        return;
    }
    for (const auto& row : rows_) {
        std::vector<std::string> texts;
        texts.reserve(row.size());
        for (const auto& cell : row)
            texts.push_back(cell.text);
        std::string text;
        for (std::size_t column = 0; column < texts.size(); ++column)
            text += (column > 0 ? "\t" : "") + texts[column];
        cli::print(text + "\n");
    }
}

} // namespace filterd::cli
