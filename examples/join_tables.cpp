// SPDX-License-Identifier: BSD-3-Clause
// Two tables as comma-separated values: orders with a customer's number, and customers with a
// country. What does each country order? Read, join, group, sort, write, by all PEs together.
//
//   join_tables ORDERS.csv CUSTOMERS.csv RESULT.csv
//
// Orders are `customer,amount`, customers `number,country`, with a first row of names. Without
// files it makes tables of its own, and checks what comes out.
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <lamellar/lamellar.hpp>
#include <string>
#include <utility>
#include <vector>

namespace io = lamellar::io;

struct order {
  std::uint64_t customer;
  std::uint64_t amount;
};
struct customer {
  std::uint64_t number;
  std::string country;
};

// What f makes of each element, where that is.
template <class T, class F>
auto each(const lamellar::segments<T>& range, F f) {
  std::vector<decltype(f(range.local()[0]))> own;
  for (const T& element : range.local()) own.push_back(f(element));
  return lamellar::segments<decltype(f(range.local()[0]))>::create(range.members(), own);
}

lamellar::task<> orders_by_country(lamellar::world& world, std::string orders_path,
                                   std::string customers_path, std::string result_path) {
  const io::csv_options with_header{.header = true};
  auto reading_orders = io::read_csv(world, {orders_path}, with_header);
  const auto order_rows = co_await reading_orders;
  const auto orders = co_await each(order_rows, [](const io::csv_row& row) {
    return order{std::stoull(row.at(0)), std::stoull(row.at(1))};
  });
  auto reading_customers = io::read_csv(world, {customers_path}, with_header);
  const auto customer_rows = co_await reading_customers;
  const auto customers = co_await each(customer_rows, [](const io::csv_row& row) {
    return customer{std::stoull(row.at(0)), row.at(1)};
  });

  // Each order with its customer; then amounts by country.
  const auto pairs =
      co_await lamellar::hash_join(orders, customers, &order::customer, &customer::number);
  const auto countries =
      co_await each(pairs, [](const auto& pair) { return pair.right.country; });
  const auto amounts = co_await each(pairs, [](const auto& pair) { return pair.left.amount; });
  const auto sums = co_await lamellar::reduce_by_key(countries, amounts);

  // The greatest first; of equal ones in the order of their names, which they are in.
  using sum = lamellar::key_value<std::string, std::uint64_t>;
  co_await lamellar::stable_sort(sums, std::greater<>{}, &sum::value);
  const auto rows = co_await each(sums, [](const sum& of) {
    return io::csv_row{of.key, std::to_string(of.value)};
  });
  co_await io::write_csv(rows, result_path);
  if (world.me().index() == 0) {
    fmt::print("{} orders of {} customers in {} countries\n", orders.size(), customers.size(),
               sums.size());
  }
}

lamellar::task<int> with_own_tables(lamellar::world& world) {
  std::string folder = std::filesystem::temp_directory_path() / "lamellar-join-tables-XXXXXX";
  if (world.me().index() == 0) folder = mkdtemp(folder.data());
  folder = co_await lamellar::broadcast(world, folder);
  // PE 0 has the first rows, with the names of the columns.
  std::vector<io::csv_row> orders;
  std::vector<io::csv_row> customers;
  if (world.me().index() == 0) {
    orders.push_back({"customer", "amount"});
    customers.push_back({"number", "country"});
    for (int k = 0; k < 5000; ++k) {
      orders.push_back({std::to_string(k % 700), std::to_string(k % 97)});
    }
    const std::vector<std::string> names{"Chad", "\"Congo, DR\"", "Congo", "Peru", "Côte d'Or"};
    for (int k = 0; k < 700; ++k) {
      customers.push_back({std::to_string(k), names[static_cast<std::size_t>(k) % 5]});
    }
  }
  const auto order_rows = co_await lamellar::segments<io::csv_row>::create(world, orders);
  co_await io::write_csv(order_rows, folder + "/orders.csv");
  const auto customer_rows = co_await lamellar::segments<io::csv_row>::create(world, customers);
  co_await io::write_csv(customer_rows, folder + "/customers.csv");
  co_await orders_by_country(world, folder + "/orders.csv", folder + "/customers.csv",
                             folder + "/result.csv");
  auto reading = io::read_csv(world, {folder + "/result.csv"});
  const auto result = co_await reading;
  const auto amount = [](const io::csv_row& row) { return std::stoull(row.at(1)); };
  const std::uint64_t total =
      co_await lamellar::transform_reduce(result, std::uint64_t{0}, std::plus<>{}, amount);
  std::uint64_t expected = 0;
  for (std::uint64_t k = 0; k < 5000; ++k) expected += k % 97;
  const bool sorted = co_await lamellar::is_sorted(result, std::greater<>{}, amount);
  co_await world.barrier();
  if (world.me().index() == 0) std::filesystem::remove_all(folder);
  co_return total == expected&& sorted&& result.size() == 5 ? 0 : 1;
}

int main(int argc, char** argv) {
  const std::vector<std::string> files(argv + 1, argv + argc);
  if (!files.empty() && files.size() != 3) {
    fmt::print(stderr, "usage: join_tables ORDERS.csv CUSTOMERS.csv RESULT.csv\n");
    return 2;
  }
  return lamellar::run(argc, argv, [&](lamellar::world& world) -> lamellar::task<int> {
    if (files.empty()) {
      co_return co_await with_own_tables(world);
    }
    co_await orders_by_country(world, files[0], files[1], files[2]);
    co_return 0;
  });
}
