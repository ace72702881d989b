#pragma once
// Rows and columns: aligned and with a heading on a terminal; tab-separated rows alone for programs.

#include "cli/terminal.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace filterd::cli {

struct Cell {
    Cell(std::string content, Colour shade = Colour::Plain) : text(std::move(content)), colour(shade) {}
    Cell(const char* content) : Cell(std::string(content)) {}
    std::string text;
    Colour colour;
};

class Table {
  public:
    explicit Table(std::vector<std::string> heading) : heading_(std::move(heading)) {}

    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    // On a terminal with their number below: "2 filters loaded", "1 filter loaded".
    void print(const std::string& one, const std::string& many, const std::string& rest = {}) const;
    // Heading and rows as a terminal shows them.
    [[nodiscard]] std::vector<std::string> aligned() const;

  private:
    [[nodiscard]] std::vector<std::size_t> widths() const;

    std::vector<std::string> heading_;
    std::vector<std::vector<Cell>> rows_;
};

} // namespace filterd::cli
