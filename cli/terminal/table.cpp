// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/terminal/table.hpp"

#include <algorithm>
#include <numeric>

namespace filterd::cli {

namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 10; // no column is made narrower than that

TableStyle& style() {
    static TableStyle style;
    return style;
}

bool continues(char c) { return (c & '\xc0') == '\x80'; }

// Characters, not bytes: what continues a UTF-8 sequence takes no room.
std::size_t widthOf(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

// Where the character of that number begins.
std::size_t offsetOf(const std::string& text, std::size_t character) {
    std::size_t seen = 0;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (!continues(text[i]) && seen++ == character)
            return i;
    return text.size();
}

// Takes from the widest columns until all of them fit.
void fit(std::vector<std::size_t>& widths) {
    const auto room = terminalWidth();
    auto needed = std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
    for (; needed > room; --needed) {
        const auto widest = std::max_element(widths.begin(), widths.end());
        if (*widest <= kNarrowest)
            return;
        --*widest;
    }
}

} // namespace

void setTableStyle(const TableStyle& wanted) { style() = wanted; }

std::string shortened(const std::string& text, std::size_t width) {
    const auto length = widthOf(text);
    if (length <= width)
        return text;
    const std::string gap = speaksUtf8() ? "…" : "...";
    const auto room = width - std::min(width, widthOf(gap));
    const auto behind = room / 2;
    return text.substr(0, offsetOf(text, room - behind)) + gap + text.substr(offsetOf(text, length - behind));
}

std::vector<std::size_t> Table::widths() const {
    std::vector<std::size_t> widths;
    for (const auto& title : heading_)
        widths.push_back(title.size());
    for (const auto& row : rows_)
        for (std::size_t column = 0; column < row.size(); ++column)
            widths[column] = std::max(widths[column], widthOf(row[column].text));
    if (!style().full)
        fit(widths);
    return widths;
}

std::vector<Cell> Table::titles() const {
    std::vector<Cell> titles;
    for (const auto& title : heading_)
        titles.emplace_back(title, Colour::Bold);
    return titles;
}

std::vector<std::string> Table::aligned() const {
    const auto width = widths();
    std::vector<std::string> lines;
    const auto add = [&](const std::vector<Cell>& row) {
        std::string line;
        for (std::size_t column = 0; column < row.size(); ++column) {
            const auto text = shortened(row[column].text, width[column]);
            line += coloured(text, row[column].colour);
            if (column + 1 < row.size())
                line += std::string(width[column] - widthOf(text) + kGap, ' ');
        }
        lines.push_back(std::move(line));
    };
    if (style().legend.value_or(true))
        add(titles());
    for (const auto& row : rows_)
        add(row);
    return lines;
}

void Table::printRows(bool legend) const {
    const auto print = [](const std::vector<Cell>& row) {
        std::vector<std::string> texts;
        texts.reserve(row.size());
        for (const auto& cell : row)
            texts.push_back(cell.text);
        std::string text;
        for (std::size_t column = 0; column < texts.size(); ++column)
            text += (column > 0 ? "\t" : "") + texts[column];
        cli::print(text + "\n");
    };
    if (legend)
        print(titles());
    for (const auto& row : rows_)
        print(row);
}

void Table::print(const std::string& one, const std::string& many, const std::string& rest) const {
    const bool legend = style().legend.value_or(isTerminal());
    if (isTerminal())
        for (const auto& line : aligned())
            cli::print(line + "\n");
    else
        printRows(legend);
    if (legend)
        cli::print("\n" + std::to_string(rows_.size()) + " " + (rows_.size() == 1 ? one : many) + rest +
                   "\n");
}

} // namespace filterd::cli
