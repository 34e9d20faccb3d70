// SPDX-License-Identifier: BSD-3-Clause
// Pictures of layouts: the table, the bar, and an SVG whose filled cells are what parts own.
#include <doctest/doctest.h>

#include <lamellar/containers/describe.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

using namespace lamellar;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Names of the elements that are open at the end, and whether each end tag fits. Enough for
/// what we write: no entities, comments or sections.
bool is_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  const std::regex tag{"<(/?)([a-z]+)((?: [a-z-]+=\"[^\"<&]*\")*|(?: xmlns=\"[^\"]*\"))*(/?)>"};
  std::size_t end = 0;
  for (std::sregex_iterator it{xml.begin(), xml.end(), tag}; it != std::sregex_iterator{};
       ++it) {
    const auto& found = *it;
    const std::string between =
        xml.substr(end, static_cast<std::size_t>(found.position()) - end);
    if (between.find_first_of("<>&") != std::string::npos) return false;
    end = static_cast<std::size_t>(found.position() + found.length());
    if (found[1].length() != 0) {
      if (open.empty() || open.back() != found[2]) return false;
      open.pop_back();
    } else if (found[4].length() == 0) {
      open.push_back(found[2]);
    }
  }
  return open.empty() && xml.substr(end) == "\n";
}

struct rectangle {
  double x, y, width, opacity;
};
std::vector<rectangle> rectangles_of(const std::string& svg) {
  std::vector<rectangle> all;
  const std::regex rect{
      "<rect x=\"([0-9.]+)\" y=\"([0-9.]+)\" width=\"([0-9.]+)\" height=\"18\" "
      "fill-opacity=\"([0-9.]+)\"/>"};
  for (std::sregex_iterator it{svg.begin(), svg.end(), rect}; it != std::sregex_iterator{};
       ++it) {
    const auto& found = *it;
    all.push_back(
        {std::stod(found[1]), std::stod(found[2]), std::stod(found[3]), std::stod(found[4])});
  }
  return all;
}

}  // namespace

TEST_CASE("a table of the parts, and a bar of the indices") {
  const auto lines = lines_of(describe(layout::block{11, 4}));
  REQUIRE(lines.size() == 7);
  CHECK(lines[0] == "block, 11 elements on 4 parts");
  CHECK(lines[1] == "part     PE     elements        first         last");
  CHECK(lines[2] == "   0      0            3            0            2");
  CHECK(lines[5] == "   3      3            2            9           10");
  CHECK(lines[6] == "00011122233");
  CHECK(lines_of(describe(layout::cyclic{7, 3})).back() == "0120120");
  const auto blocks = lines_of(describe(layout::block_cyclic{10, 2, 3}));
  CHECK(blocks[0] == "block_cyclic of 3, 10 elements on 2 parts");
  CHECK(blocks.back() == "0001110001");
}

TEST_CASE("parts without elements, and nothing at all") {
  const auto few = lines_of(describe(layout::block{1, 3}));
  CHECK(few[0] == "block, 1 element on 3 parts");
  CHECK(few[3] == "   1      1            0            -            -");
  CHECK(few.back() == "0");
  CHECK(lines_of(describe(layout::block{0, 2})).size() == 4);
  CHECK(is_well_formed(describe_svg(layout::block{0, 2})));
}

TEST_CASE("the bar has at most 64 characters, however long the array is") {
  const std::string halves = lines_of(describe(layout::block{1u << 20, 2})).back();
  CHECK(halves == std::string(32, '0') + std::string(32, '1'));
  CHECK(lines_of(describe(layout::cyclic{1000, 4})).back() == std::string(64, '+'));
  const std::string thirds = lines_of(describe(layout::block{1000003, 3})).back();
  CHECK(thirds.size() == 64);
  CHECK(thirds[0] == '0');
  CHECK(thirds[21] == '+');
  CHECK(thirds[63] == '2');
  CHECK(lines_of(describe(layout::block{12345678901234567, 7})).back().size() == 64);
}

TEST_CASE("the picture is an SVG in which each index is filled once") {
  const layout::block_cyclic of{10, 2, 3};
  const std::string svg = describe_svg(of);
  CHECK(is_well_formed(svg));
  CHECK(svg.rfind("<svg xmlns=\"http://www.w3.org/2000/svg\"", 0) == 0);
  const auto all = rectangles_of(svg);
  REQUIRE(all.size() == 4);  // two runs of each part
  for (std::size_t i = 0; i < of.size(); ++i) {
    // The middle of index i is in one rectangle, in the row of its owner.
    const double x = 90 + 76.8 * (static_cast<double>(i) + 0.5);
    std::vector<double> rows;
    for (const rectangle& each : all) {
      if (each.x <= x && x < each.x + each.width) rows.push_back(each.y);
    }
    REQUIRE(rows.size() == 1);
    CHECK(rows[0] == 30 + 22 * of.locate(i).part);
  }
}

TEST_CASE("cells of several owners are lighter") {
  const auto all = rectangles_of(describe_svg(layout::cyclic{100000, 4}));
  REQUIRE(!all.empty());
  double filled = 0;
  for (const rectangle& each : all) {
    CHECK(each.opacity > 0.2);
    CHECK(each.opacity < 0.3);
    filled += each.width;
  }
  CHECK(filled == doctest::Approx(4 * 768).epsilon(0.001));
  CHECK(is_well_formed(describe_svg(layout::cyclic{100000, 4})));
}
