// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <memory>
#include <string>

// A file with a line for each event of a simulated run. Holds what the run is determined by and
// nothing else: no addresses, no real time. Two runs with one seed therefore write the same
// bytes.
namespace lamellar::lamellae::sim {

class trace {
 public:
  /// `file`: where to write; empty: nowhere. Throws: config_error when it cannot be opened.
  explicit trace(const std::string& file) {
    if (file.empty()) return;
    out_.reset(std::fopen(file.c_str(), "w"));
    if (out_ == nullptr) {
      throw config_error(fmt::format("LAMELLAR_SIM_TRACE={}: cannot be written: {}", file,
                                     std::strerror(errno)));
    }
  }

  /// Write "step time PE pe: text".
  template <class... Args>
  void write(std::uint64_t step, std::uint64_t time_ns, std::uint32_t pe,
             fmt::format_string<Args...> text, Args&&... args) {
    if (out_ == nullptr) return;
    fmt::print(out_.get(), "{} {} PE {}: ", step, time_ns, pe);
    fmt::print(out_.get(), text, std::forward<Args>(args)...);
    std::fputc('\n', out_.get());
  }

  void flush() {
    if (out_ != nullptr) std::fflush(out_.get());
  }

 private:
  struct closing {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, closing> out_;
};

}  // namespace lamellar::lamellae::sim
