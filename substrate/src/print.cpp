// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/print.hpp>
#include <string_view>
#include <utility>

namespace lamellar {

task<> print_ordered(detail::located_team of, std::string text, std::FILE* to) {
  const team members = of.value;
  const std::vector<std::string> texts = co_await gather(of, std::move(text));
  std::string all;
  for (std::uint32_t k = 0; k < texts.size(); ++k) {
    std::string_view left = texts[k];
    do {
      const std::size_t end = left.find('\n');
      all +=
          fmt::format("PE {}: {}\n", members.at(team_position{k}).index(), left.substr(0, end));
      left = end == std::string_view::npos ? std::string_view{} : left.substr(end + 1);
    } while (!left.empty());
  }
  if (!all.empty()) {
    std::fputs(all.c_str(), to);
    std::fflush(to);
  }
  co_await members.barrier(of.where);  // nobody goes on before all is printed
}

}  // namespace lamellar
