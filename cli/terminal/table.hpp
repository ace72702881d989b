// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Rows and columns: aligned, within the terminal's width and with a heading and a total on a terminal;
// tab-separated rows alone and in full for programs.

#include "cli/terminal/terminal.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace filterd::cli {

struct Cell {
    Cell(std::string content, Colour shade = Colour::Plain) : text(std::move(content)), colour(shade) {}
    Cell(const char* content) : Cell(std::string(content)) {}
    std::string text;
    Colour colour;
};

// How all tables are shown.
struct TableStyle {
    bool full = false;                         // nothing is shortened
    std::optional<bool> legend = std::nullopt; // heading and total; if not given: on a terminal only
};
void setTableStyle(const TableStyle& style);

// Returns a text that takes at most so many cells of a terminal: what is too long loses its middle. A wide
// character takes two cells.
[[nodiscard]] std::string shortened(const std::string& text, std::size_t width);

class Table {
  public:
    explicit Table(std::vector<std::string> heading) : heading_(std::move(heading)) {}

    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    // The total is told as "2 filters loaded", "1 filter loaded".
    void print(const std::string& one, const std::string& many, const std::string& rest = {}) const;
    // Heading and rows as a terminal shows them.
    [[nodiscard]] std::vector<std::string> aligned() const;

  private:
    [[nodiscard]] std::vector<std::size_t> widths() const;
    [[nodiscard]] std::vector<Cell> titles() const;
    void printRows(bool legend) const;

    std::vector<std::string> heading_;
    std::vector<std::vector<Cell>> rows_;
};

} // namespace filterd::cli
