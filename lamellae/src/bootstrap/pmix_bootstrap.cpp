// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <pmix.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <utility>

#include "../membership.hpp"
#include "launchers.hpp"

// Under a launcher with a PMIx server, such as mpirun or srun --mpi=pmix. The library counts
// how often it is initialised, so that a program may use MPI beside this.
namespace lamellar::lamellae {
namespace {

// Servers keep what was put until the job ends, in pieces of memory that a longer value breaks.
constexpr std::size_t chunk = std::size_t{1} << 16;

/// A number for each value that this process has put: names are never used again.
std::atomic<std::uint64_t> values_put{0};

/// The server has been told that this process is done. The thread that opens jobs only.
bool has_left = false;

std::string text_of(pmix_status_t status) { return PMIx_Error_string(status); }

/// The server has gone, and the launcher with it: nobody else would end this process.
void end_with_launcher(std::size_t, pmix_status_t, const pmix_proc_t*, pmix_info_t*,
                       std::size_t, pmix_info_t*, std::size_t,
                       pmix_event_notification_cbfunc_fn_t, void*) {
  std::_Exit(EXIT_FAILURE);
}

/// A value of the server's, given back at the end.
class found_value {
 public:
  found_value(const pmix_proc_t& of, const char* key) {
    status_ = PMIx_Get(&of, key, nullptr, 0, &value_);
  }
  ~found_value() {
    if (status_ == PMIX_SUCCESS) PMIX_VALUE_RELEASE(value_);
  }
  found_value(const found_value&) = delete;
  found_value& operator=(const found_value&) = delete;

  pmix_status_t status() const { return status_; }
  bool is(pmix_data_type_t type) const {
    return status_ == PMIX_SUCCESS && value_->type == type;
  }
  const pmix_value_t& operator*() const { return *value_; }

 private:
  pmix_value_t* value_ = nullptr;
  pmix_status_t status_;
};

class pmix_bootstrap final : public bootstrap {
 public:
  pmix_bootstrap(std::string launcher, const settings& s);
  /// Whoever goes without having finished has failed: the server must see it that way.
  ~pmix_bootstrap() override { stop_watching(); }

  std::string_view launcher() const override { return launcher_; }
  std::vector<std::vector<std::byte>> exchange(std::span<const std::byte> mine) override;
  void abort(int code, std::string_view) noexcept override {
    PMIx_Abort(code, "", nullptr, 0);  // the text has been given
  }
  void finished() noexcept override {
    if (!std::exchange(is_connected_, false)) return;
    stop_watching();
    PMIx_Finalize(nullptr, 0);
    has_left = PMIx_Initialized() == 0;
  }

 private:
  pmix_proc_t everybody() const {
    pmix_proc_t all = self_;
    all.rank = PMIX_RANK_WILDCARD;
    return all;
  }
  pmix_proc_t process_of(std::uint32_t pe) const {
    pmix_proc_t one = self_;
    one.rank = pe;
    return one;
  }
  void claim() const;
  void learn_place();
  std::string word_for_host() const;
  void watch_for_loss();
  void stop_watching() noexcept;
  std::string publish(std::span<const std::byte> value);
  /// Append to `to` what `pe` has published; the result is how long its blob is as a whole.
  std::uint64_t fetch(std::uint32_t pe, const std::string& key, std::vector<std::byte>& to);

  std::string launcher_;
  pmix_proc_t self_{};
  bool is_connected_ = false;
  std::optional<std::size_t> loss_handler_;
};

pmix_bootstrap::pmix_bootstrap(std::string launcher, const settings& s)
    : launcher_{std::move(launcher)} {
  if (has_left) {
    throw config_error{fmt::format(
        "this process has left the job of {} already, which lets nobody join again; open one "
        "world, or have MPI initialised around all of them",
        launcher_)};
  }
  if (const pmix_status_t status = PMIx_Init(&self_, nullptr, 0); status != PMIX_SUCCESS) {
    throw config_error{fmt::format(
        "{} is said to have started this program (PMIX_RANK and PMIX_NAMESPACE are set), but "
        "its PMIx server cannot be reached: {}; if they were left over, unset them, or set "
        "LAMELLAR_LAMELLA=local to run without a launcher",
        launcher_, text_of(status))};
  }
  is_connected_ = true;
  claim();
  learn_place();
  watch_for_loss();
  try {
    learn_hosts(word_for_host(), s);
  } catch (...) {
    stop_watching();
    throw;
  }
}

/// Take the PE's place. The server would let a program that this process starts join in it too.
void pmix_bootstrap::claim() const {
  const std::string place = fmt::format("{}:{}:", self_.nspace, self_.rank);
  const std::string mine = place + std::to_string(getpid());
  const std::string taken = foreign_variable(joined_variable).value_or("");
  if (taken.starts_with(place) && taken != mine) {
    throw config_error{
        fmt::format("PE {} has started this program, and has joined the job of {} itself; set "
                    "LAMELLAR_LAMELLA=local for what a PE starts",
                    self_.rank, launcher_)};
  }
  set_for_children(joined_variable, mine);
}

void pmix_bootstrap::learn_place() {
  const found_value size{everybody(), PMIX_JOB_SIZE};
  if (!size.is(PMIX_UINT32)) {
    throw config_error{fmt::format("{} does not say how many processes the job has: {}",
                                   launcher_, text_of(size.status()))};
  }
  me_ = self_.rank;
  size_ = (*size).data.uint32;
}

/// What only PEs of this host are told, and all of them alike.
std::string pmix_bootstrap::word_for_host() const {
  if (const found_value node{self_, PMIX_NODEID}; node.is(PMIX_UINT32)) {
    return fmt::format("node {}", (*node).data.uint32);
  }
  if (const found_value peers{everybody(), PMIX_LOCAL_PEERS}; peers.is(PMIX_STRING)) {
    return fmt::format("PEs {}", (*peers).data.string);
  }
  throw config_error{fmt::format(
      "{} does not say which PEs share a host; give each host's PEs a LAMELLAR_HOST_ID",
      launcher_)};
}

void pmix_bootstrap::watch_for_loss() {
  // Of use while this process is stopped; but the parent may be a shell, or live longer.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pmix_status_t lost = PMIX_ERR_LOST_CONNECTION;
  const pmix_status_t handler =
      PMIx_Register_event_handler(&lost, 1, nullptr, 0, end_with_launcher, nullptr, nullptr);
  if (handler >= 0) loss_handler_ = static_cast<std::size_t>(handler);
  remember_launcher(*this);
}

void pmix_bootstrap::stop_watching() noexcept {
  forget_launcher(*this);
  if (loss_handler_) {
    PMIx_Deregister_event_handler(*std::exchange(loss_handler_, std::nullopt), nullptr,
                                  nullptr);
  }
}

std::string pmix_bootstrap::publish(std::span<const std::byte> value) {
  std::string key = fmt::format("lamellar.{}", values_put.fetch_add(1));
  pmix_value_t put{};
  put.type = PMIX_BYTE_OBJECT;
  // Not written to, but for reading there is no other type.
  put.data.bo.bytes = const_cast<char*>(reinterpret_cast<const char*>(value.data()));
  put.data.bo.size = value.size();
  pmix_status_t status = PMIx_Put(PMIX_GLOBAL, key.c_str(), &put);
  if (status == PMIX_SUCCESS) status = PMIx_Commit();
  if (status == PMIX_SUCCESS) {
    const pmix_proc_t all = everybody();
    pmix_info_t collect{};
    bool yes = true;
    PMIX_INFO_LOAD(&collect, PMIX_COLLECT_DATA, &yes, PMIX_BOOL);
    status = PMIx_Fence(&all, 1, &collect, 1);
  }
  if (status != PMIX_SUCCESS) {
    throw error{fmt::format("PE {} could not meet the others through {}: {}; a PE has ended",
                            me_, launcher_, text_of(status))};
  }
  return key;
}

std::uint64_t pmix_bootstrap::fetch(std::uint32_t pe, const std::string& key,
                                    std::vector<std::byte>& to) {
  const found_value got{process_of(pe), key.c_str()};
  std::uint64_t whole = 0;
  if (!got.is(PMIX_BYTE_OBJECT) || (*got).data.bo.size < sizeof whole) {
    throw error{
        fmt::format("PE {} did not get from {} what PE {} has said: {}; each process of {} may "
                    "run one program that joins the job, not several in turn",
                    me_, launcher_, pe, text_of(got.status()), launcher_)};
  }
  const auto& object = (*got).data.bo;
  std::memcpy(&whole, object.bytes, sizeof whole);
  const auto* const begin = reinterpret_cast<const std::byte*>(object.bytes);
  to.insert(to.end(), begin + sizeof whole, begin + object.size);
  return whole;
}

std::vector<std::vector<std::byte>> pmix_bootstrap::exchange(std::span<const std::byte> mine) {
  const std::uint64_t whole = mine.size();
  std::vector<std::vector<std::byte>> all(size_);
  std::vector<std::byte> value;
  for (std::uint64_t done = 0, longest = 1; done < longest; done += chunk) {
    const auto now = mine.first(std::min(mine.size(), chunk));
    mine = mine.subspan(now.size());
    value.resize(sizeof whole);
    std::memcpy(value.data(), &whole, sizeof whole);
    value.insert(value.end(), now.begin(), now.end());
    const std::string key = publish(value);
    for (std::uint32_t pe = 0; pe < size_; ++pe) {
      longest = std::max(longest, fetch(pe, key, all[pe]));
    }
  }
  return all;
}

}  // namespace

std::unique_ptr<bootstrap> make_pmix_bootstrap(std::string launcher, const settings& s) {
  return std::make_unique<pmix_bootstrap>(std::move(launcher), s);
}

}  // namespace lamellar::lamellae
