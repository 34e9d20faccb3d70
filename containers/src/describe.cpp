// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <iterator>
#include <lamellar/containers/describe.hpp>

namespace lamellar::detail {

namespace {

std::string title(const layout_picture& of) {
  std::string text{of.name};
  if (of.block != 0) {
    fmt::format_to(std::back_inserter(text), " of {}", of.block);
  }
  fmt::format_to(std::back_inserter(text), ", {} element{} on {} part{}", of.size,
                 of.size == 1 ? "" : "s", of.parts.size(), of.parts.size() == 1 ? "" : "s");
  if (of.view) {
    fmt::format_to(std::back_inserter(text), ", a view from element {} on", of.first_index);
  }
  return text;
}

/// Of a part's number: 0 to 9, a to z, A to Z, and again.
char digit(std::size_t part) {
  constexpr std::string_view digits =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return digits[part % digits.size()];
}

std::string bar(const layout_picture& of) {
  const std::size_t width = of.parts.empty() ? 0 : of.parts[0].characters.size();
  std::string all(width, ' ');
  for (std::size_t k = 0; k < of.parts.size(); ++k) {
    for (std::size_t at = 0; at < width; ++at) {
      if (of.parts[k].characters[at] != 0) {
        all[at] = all[at] == ' ' ? digit(k) : '+';
      }
    }
  }
  return all;
}

}  // namespace

std::string layout_picture::text() const {
  std::string out = title(*this);
  out += "\npart     PE     elements        first         last\n";
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const part& each = parts[k];
    if (each.elements == 0) {
      fmt::format_to(std::back_inserter(out), "{:4} {:6} {:12}            -            -\n", k,
                     each.pe, 0);
    } else {
      fmt::format_to(std::back_inserter(out), "{:4} {:6} {:12} {:12} {:12}\n", k, each.pe,
                     each.elements, each.first, each.last);
    }
  }
  if (size != 0) {
    out += bar(*this);
    out += '\n';
  }
  return out;
}

std::string layout_picture::svg() const {
  constexpr std::size_t left = 90;
  constexpr std::size_t top = 30;
  constexpr std::size_t row = 22;
  constexpr std::size_t width = 768;
  const std::size_t height = top + row * parts.size() + 24;
  std::string out;
  const auto to = std::back_inserter(out);
  fmt::format_to(to,
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" "
                 "font-family=\"sans-serif\" font-size=\"12\">\n<title>{}</title>\n"
                 "<text x=\"4\" y=\"18\">{}</text>\n",
                 left + width + 10, height, title(*this), title(*this));
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const part& each = parts[k];
    const std::size_t y = top + row * k;
    fmt::format_to(to,
                   "<g fill=\"hsl({}, 60%, 45%)\">\n<title>PE {}: {} elements</title>\n"
                   "<text x=\"4\" y=\"{}\" fill=\"black\">PE {}</text>\n",
                   k * 360 / parts.size(), each.pe, each.elements, y + 14, each.pe);
    const std::size_t cells = each.cells.size();
    const auto edge = [&](std::size_t at) {
      return static_cast<double>(left) +
             static_cast<double>(width) * static_cast<double>(at) / static_cast<double>(cells);
    };
    const auto share = [&](std::size_t at) {
      // Rounded to whole percents, so that neighbours can be drawn as one.
      const std::size_t of_all =
          size / cells + (size % cells * (at + 1) / cells - size % cells * at / cells);
      return (each.cells[at] * 100 + of_all - 1) / of_all;
    };
    for (std::size_t at = 0; at < cells;) {
      std::size_t end = at + 1;
      while (end < cells && share(end) == share(at)) {
        ++end;
      }
      if (share(at) != 0) {
        fmt::format_to(to,
                       "<rect x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\" "
                       "fill-opacity=\"{:.2f}\"/>\n",
                       edge(at), y, edge(end) - edge(at), row - 4,
                       static_cast<double>(share(at)) / 100);
      }
      at = end;
    }
    out += "</g>\n";
  }
  if (size != 0) {
    fmt::format_to(to,
                   "<text x=\"{}\" y=\"{}\">0</text>\n"
                   "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
                   left, height - 8, left + width, height - 8, size - 1);
  }
  out += "</svg>\n";
  return out;
}

}  // namespace lamellar::detail
