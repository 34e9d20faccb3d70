// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "report.hpp"

// lamellar-info: what this build of Lamellar is, what this machine offers it, and every
// variable that it reads.
namespace {

using json = nlohmann::ordered_json;

constexpr const char* help =
    "Say what this build of Lamellar and this machine offer, and list all variables.\n\n"
    "  lamellar-info [--json]\n\n"
    "  --json      one JSON document instead of text\n"
    "  -h, --help  this text\n";

std::string plain(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string with_unit(std::string_view name, const json& value) {
  if (!name.ends_with("_bytes") || !value.is_number()) return plain(value);
  const auto bytes = value.get<std::size_t>();
  if (bytes >= std::size_t{10} << 30) return fmt::format("{} GiB", bytes >> 30);
  if (bytes >= std::size_t{1} << 20) return fmt::format("{} MiB", bytes >> 20);
  return fmt::format("{} KiB", bytes >> 10);
}

std::string as_words(std::string name) {
  if (name.ends_with("_bytes")) name.resize(name.size() - std::string_view{"_bytes"}.size());
  for (char& c : name) {
    if (c == '_') c = ' ';
  }
  return name;
}

void print_section(std::string_view title, const json& section) {
  fmt::print("\n{}\n", title);
  for (const auto& [name, value] : section.items()) {
    fmt::print("  {:26} {}\n", as_words(name), with_unit(name, value));
  }
}

void print_providers(const json& rows) {
  if (rows.empty()) return;
  fmt::print("\nNetwork providers (the first is taken unless another is named)\n");
  for (const json& row : rows) {
    const std::string domain = plain(row["domain"]);
    fmt::print("  {:26} {}\n",
               domain.empty() ? plain(row["name"])
                              : fmt::format("{} on {}", plain(row["name"]), domain),
               row["usable"].get<bool>() ? "can be used" : plain(row["refusal"]));
  }
}

void print_variables(const json& rows) {
  fmt::print("\nVariables (value if set; default)\n");
  for (const json& row : rows) {
    const std::string fallback = plain(row["default"]);
    fmt::print("  {} = {}\n", plain(row["name"]),
               row["value"].is_null()
                   ? (fallback.empty() ? "not set" : fallback + "  (default)")
                   : fmt::format("{}  (default: {})", plain(row["value"]),
                                 fallback.empty() ? "not set" : fallback));
    fmt::print("      {}\n", plain(row["meaning"]));
  }
}

void print(const json& all) {
  fmt::print("Lamellar {}\n", plain(all["version"]));
  std::string names;
  for (const json& name : all["lamellae"]) names.append(1, ' ').append(plain(name));
  fmt::print("  lamellae in this build:   {}\n", names);
  std::string launchers;
  for (const json& name : all["launchers"]) {
    launchers += launchers.empty() ? "" : ", ";
    launchers += plain(name);
  }
  fmt::print("  launchers:                 {}\n", launchers);
  fmt::print("  network library:           {}\n", plain(all["network_library"]).empty()
                                                      ? "none: built without libfabric"
                                                      : plain(all["network_library"]));
  if (all["kokkos"].is_null()) {
    fmt::print("  Kokkos:                    not linked\n");
  } else {
    fmt::print("  Kokkos:                    {}, spaces {}\n", plain(all["kokkos"]["version"]),
               plain(all["kokkos"]["spaces"]));
  }
  print_section("Cores", all["cores"]);
  print_section("Memory", all["memory"]);
  print_section("Pages", all["pages"]);
  print_providers(all["network_providers"]);
  print_variables(all["variables"]);
  if (!all["environment_error"].is_null()) {
    fmt::print("\nThis environment would be refused:\n  {}\n", plain(all["environment_error"]));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view option = argc > 1 ? argv[1] : "";
  if (argc > 2 ||
      !(option.empty() || option == "--json" || option == "-h" || option == "--help")) {
    fmt::print(stderr, "lamellar-info: {}: no such option; see lamellar-info --help\n",
               argc > 2 ? argv[2] : argv[1]);
    return 2;
  }
  if (option == "-h" || option == "--help") {
    fmt::print("{}", help);
    return 0;
  }
  try {
    const json all = lamellar::info::gather();
    if (option == "--json") {
      fmt::print("{}\n", all.dump(2));
    } else {
      print(all);
    }
  } catch (const std::exception& e) {
    fmt::print(stderr, "lamellar-info: {}\n", e.what());
    return 1;
  }
}
