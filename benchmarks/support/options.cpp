// SPDX-License-Identifier: BSD-3-Clause
#include "options.hpp"

#include <fmt/core.h>

#include <string>
#include <utility>

namespace lamellar::benchmark {

command_line::command_line(std::string name, const std::string& problem,
                           const std::string& metric)
    : app_(fmt::format("{}\n\nMetric: {}", problem, metric), std::move(name)) {
  app_.add_option("--repetitions", common_.repetitions,
                  "Repetitions after one that warms up; the median counts")
      ->capture_default_str()
      ->check(CLI::Range(1U, 10000U));
  app_.add_flag("--json", common_.json, "Print one line of JSON for each result, last");
  app_.add_flag("--sabotage", common_.sabotage,
                "Spoil the answer by one on purpose: the program must notice and fail");
  app_.add_flag("--require-idle", common_.require_idle,
                "Refuse to measure while others use the machine");
}

void command_line::add_size(const std::string& flag, std::uint64_t& value,
                            const std::string& text, std::uint64_t least) {
  CLI::Option& option = *app_.add_option(flag, value, text)->capture_default_str();
  allow_powers(option);
  option.check([least](const std::string& word) -> std::string {
    std::uint64_t given = 0;
    if (!CLI::detail::lexical_cast(word, given) || given >= least) return {};
    return fmt::format("choose {} or more", least);
  });
}

void allow_powers(CLI::Option& option) {
  option.transform([](const std::string& word) -> std::string {
    if (!word.starts_with("2^")) return word;
    const std::string digits = word.substr(2);
    const bool is_number = !digits.empty() && digits.size() <= 2 &&
                           digits.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number || std::stoul(digits) > 63)
      throw CLI::ValidationError(word + " is not 2^0 to 2^63");
    return std::to_string(std::uint64_t{1} << std::stoul(digits));
  });
}

bool command_line::parse(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    exit_code_ = app_.exit(stop);
    return false;
  }
  return true;
}

}  // namespace lamellar::benchmark
