// SPDX-License-Identifier: BSD-3-Clause
#include "report.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace lamellar::benchmark {
namespace {

// A rate for people: three digits and a prefix.
std::string readable_rate(double rate, const std::string& unit) {
  if (rate >= 1e9) return fmt::format("{:8.2f} G {}", rate / 1e9, unit);
  if (rate >= 1e6) return fmt::format("{:8.2f} M {}", rate / 1e6, unit);
  if (rate >= 1e3) return fmt::format("{:8.2f} k {}", rate / 1e3, unit);
  return fmt::format("{:8.2f}   {}", rate, unit);
}

std::string text_of(const parameter& p) {
  if (const auto* const number = std::get_if<double>(&p.second)) {
    return fmt::format("{}={:.4g}", p.first, *number);
  }
  return std::visit([&](const auto& value) { return fmt::format("{}={}", p.first, value); },
                    p.second);
}

}  // namespace

report::report(std::string name, const options& common)
    : name_(std::move(name)), common_(common) {
  const foreign_load load = load_at_rest();
  state("benchmark", name_);
  state("machine", machine_name());
  state("before", load.text());
  state("repetitions",
        fmt::format("{} after a warm-up; the table shows medians", common_.repetitions));
  if (load.idle()) return;
  const std::string warning = fmt::format("the machine is not idle: {}", load.text());
  if (common_.require_idle) {
    throw std::runtime_error(warning + "; end the other work, or leave --require-idle away");
  }
  fmt::print("WARNING      {}\n", warning);
  warnings_.push_back(warning);
}

void report::state(const std::string& what, const std::string& value) {
  fmt::print("{:<12} {}\n", what, value);
  std::fflush(stdout);
}

void report::add(result r) {
  if (results_.empty()) {
    fmt::print("\n{:<32} {:<7} {:>7}  {:<26} {:>9} {:>9} {:>8}  {}\n", "result", "lamella",
               "PEs x T", "rate", "ns each", "spread %", "of limit", "parameters");
  }
  std::string parameters;
  for (const parameter& p : r.parameters) parameters += text_of(p) + " ";
  fmt::print("{:<32} {:<7} {:>7}  {:<26} {:>9.4g} {:>9.1f} {:>8.2f}  {}{}\n", r.name, r.lamella,
             fmt::format("{} x {}", r.pes, r.threads), readable_rate(r.rate(), r.unit),
             1e9 / r.rate(), 100 * (r.seconds.max - r.seconds.min) / r.seconds.median,
             r.fraction_of_limit(), parameters, r.verified ? "" : "WRONG ANSWER");
  std::fflush(stdout);
  results_.push_back(std::move(r));
}

int report::finish() {
  const foreign_load load = watch_.since_start();
  fmt::print("\n");
  state("during", load.text());
  if (!load.idle()) {
    warnings_.push_back(fmt::format("others were at work during the run: {}", load.text()));
    fmt::print("WARNING      {}\n", warnings_.back());
  }
  bool right = !results_.empty();
  for (const result& r : results_) right = right && r.verified;
  if (!right) fmt::print(stderr, "{}: an answer was wrong; see the table\n", name_);
  if (common_.json) {
    for (const result& r : results_) fmt::print("{}\n", json_line(r));
  }
  std::fflush(stdout);
  return right ? 0 : 1;
}

std::string report::json_line(const result& r) const {
  nlohmann::ordered_json parameters = nlohmann::ordered_json::object();
  for (const parameter& p : r.parameters) {
    std::visit([&](const auto& value) { parameters[p.first] = value; }, p.second);
  }
  nlohmann::ordered_json line;
  line["name"] = r.name;
  line["lamella"] = r.lamella;
  line["pes"] = r.pes;
  line["threads"] = r.threads;
  line["parameters"] = std::move(parameters);
  line["operations"] = r.operations;
  line["seconds"] = {
      {"median", r.seconds.median}, {"min", r.seconds.min}, {"max", r.seconds.max}};
  line["rate"] = r.rate();
  line["unit"] = r.unit;
  line["repetitions"] = r.repetitions;
  line["verified"] = r.verified;
  line["limit"] = {{"name", r.bound.name}, {"rate", r.bound.rate}};
  line["fraction_of_limit"] = r.fraction_of_limit();
  line["warnings"] = warnings_;
  return line.dump();
}

result as_its_own_limit(result r) {
  r.bound = {r.name, r.rate()};
  return r;
}

}  // namespace lamellar::benchmark
