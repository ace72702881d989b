// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/terminal/table.hpp"

#include <algorithm>
#include <cwchar>
#include <numeric>
#include <string_view>

namespace filterd::cli {

namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 10; // no column is made narrower than that

TableStyle& style() {
    static TableStyle style;
    return style;
}

struct Character {
    std::size_t bytes;
    std::size_t cells; // on a terminal: 2 of a wide one, 0 of one that combines with the one before it
};

// Reads the character at the beginning of a text that is not empty.
Character firstOf(std::string_view text) {
    std::size_t bytes = 1;
    while (bytes < text.size() && (text[bytes] & '\xc0') == '\x80')
        ++bytes;
    wchar_t wide = 0;
    std::mbstate_t state{};
    if (!speaksUtf8() || std::mbrtowc(&wide, text.data(), bytes, &state) != bytes)
        return {bytes, 1};
    const int cells = ::wcwidth(wide);
    return {bytes, cells < 0 ? 1 : static_cast<std::size_t>(cells)};
}

std::size_t widthOf(std::string_view text) {
    std::size_t cells = 0;
    while (!text.empty()) {
        const auto character = firstOf(text);
        cells += character.cells;
        text.remove_prefix(character.bytes);
    }
    return cells;
}

// Returns the longest beginning of the text that takes at most so many cells.
std::string_view beginningOf(std::string_view text, std::size_t cells) {
    std::size_t end = 0;
    while (end < text.size()) {
        const auto character = firstOf(text.substr(end));
        if (character.cells > cells)
            break;
        cells -= character.cells;
        end += character.bytes;
    }
    return text.substr(0, end);
}

// Returns the longest end of the text that takes at most so many cells.
std::string_view endOf(std::string_view text, std::size_t cells) {
    for (auto width = widthOf(text); width > cells;) {
        const auto character = firstOf(text);
        width -= character.cells;
        text.remove_prefix(character.bytes);
    }
    return text;
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
    if (widthOf(text) <= width)
        return text;
    const std::string gap = speaksUtf8() ? "…" : "...";
    const auto room = width - std::min(width, widthOf(gap));
    const auto behind = room / 2;
    return std::string(beginningOf(text, room - behind)) + gap + std::string(endOf(text, behind));
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
