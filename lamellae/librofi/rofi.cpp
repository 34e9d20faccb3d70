// SPDX-License-Identifier: BSD-3-Clause
// The functions of rofi.h: arguments are checked here, exceptions end here.
#include <rofi.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "session.hpp"

namespace {

std::unique_ptr<lamellar::librofi::session> job;  // between rofi_init and rofi_finit

template <class F>
int guarded(const char* what, F&& f) {
  try {
    if (job == nullptr) {
      std::fprintf(stderr, "%s: call rofi_init first\n", what);
      return -1;
    }
    f();
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", what, e.what());
    return -1;
  }
}

bool are_valid(const char* what, const void* a, const void* b, std::size_t bytes,
               unsigned int id) {
  if (job == nullptr || (a != nullptr && b != nullptr && bytes != 0 && id < job->size())) {
    return true;
  }
  std::fprintf(stderr, "%s: a null pointer, no bytes, or no process %u among %u\n", what, id,
               job->size());
  return false;
}

std::vector<std::uint32_t> list_of(const std::uint64_t* pes, std::uint64_t count) {
  std::vector<std::uint32_t> made;
  for (std::uint64_t k = 0; k < count; ++k) {
    if (pes[k] >= job->size()) {
      throw std::invalid_argument{"no process " + std::to_string(pes[k])};
    }
    made.push_back(static_cast<std::uint32_t>(pes[k]));
  }
  return made;
}

}  // namespace

extern "C" {

int rofi_init(char* provs, char* domains) {
  if (job != nullptr) {
    std::fprintf(stderr, "rofi_init: called before, and rofi_finit was not\n");
    return -1;
  }
  try {
    job = std::make_unique<lamellar::librofi::session>(provs == nullptr ? "" : provs,
                                                       domains == nullptr ? "" : domains);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "rofi_init: %s\n", e.what());
    return -1;
  }
}

int rofi_finit(void) {
  return guarded("rofi_finit", [] { job.reset(); });
}

unsigned int rofi_get_size(void) { return job == nullptr ? 0 : job->size(); }
unsigned int rofi_get_id(void) { return job == nullptr ? 0 : job->me(); }

int rofi_flush(void) {
  return guarded("rofi_flush", [] { job->flush(); });
}

int rofi_wait(void) {
  return guarded("rofi_wait", [] { job->wait(); });
}

int rofi_put(void* dst, void* src, size_t size, unsigned int id, unsigned long) {
  if (!are_valid("rofi_put", dst, src, size, id)) return -1;
  return guarded("rofi_put", [&] { job->put(dst, src, size, id, false); });
}

int rofi_iput(void* dst, void* src, size_t size, unsigned int id, unsigned long) {
  if (!are_valid("rofi_iput", dst, src, size, id)) return -1;
  return guarded("rofi_iput", [&] { job->put(dst, src, size, id, true); });
}

int rofi_get(void* dst, void* src, size_t size, unsigned int id, unsigned long) {
  if (!are_valid("rofi_get", dst, src, size, id)) return -1;
  return guarded("rofi_get", [&] { job->get(dst, src, size, id, false); });
}

int rofi_iget(void* dst, void* src, size_t size, unsigned int id, unsigned long) {
  if (!are_valid("rofi_iget", dst, src, size, id)) return -1;
  return guarded("rofi_iget", [&] { job->get(dst, src, size, id, true); });
}

int rofi_send(unsigned int id, void* buf, size_t size, unsigned long) {
  if (!are_valid("rofi_send", buf, buf, size, id)) return -1;
  return guarded("rofi_send", [&] { job->send(id, buf, size); });
}

int rofi_recv(void* buf, size_t size, unsigned long) {
  if (!are_valid("rofi_recv", buf, buf, size, 0)) return -1;
  return guarded("rofi_recv", [&] { job->receive(buf, size); });
}

int rofi_alloc(size_t size, unsigned long, void** addr) {
  if (!are_valid("rofi_alloc", addr, addr, size, 0)) return -1;
  return guarded("rofi_alloc", [&] { *addr = job->allocate(size, job->all()); });
}

int rofi_sub_alloc(size_t size, unsigned long, void** addr, uint64_t* pes, uint64_t num_pes) {
  if (!are_valid("rofi_sub_alloc", addr, pes, size, 0)) return -1;
  return guarded("rofi_sub_alloc", [&] { *addr = job->allocate(size, list_of(pes, num_pes)); });
}

int rofi_release(void* addr) {
  return guarded("rofi_release", [&] { job->release(addr, job->all()); });
}

int rofi_sub_release(void* addr, uint64_t* pes, uint64_t num_pes) {
  return guarded("rofi_sub_release", [&] { job->release(addr, list_of(pes, num_pes)); });
}

void rofi_barrier(void) {
  guarded("rofi_barrier", [] { job->barrier(job->all()); });
}

void* rofi_get_remote_addr(void* addr, unsigned int id) {
  void* found = nullptr;
  if (!are_valid("rofi_get_remote_addr", addr, addr, 1, id)) return nullptr;
  guarded("rofi_get_remote_addr", [&] { found = job->remote_address(addr, id); });
  return found;
}

void* rofi_get_local_addr_from_remote_addr(void* addr, unsigned int id) {
  void* found = nullptr;
  if (!are_valid("rofi_get_local_addr_from_remote_addr", addr, addr, 1, id)) return nullptr;
  guarded("rofi_get_local_addr_from_remote_addr",
          [&] { found = job->local_address(addr, id); });
  return found;
}

}  // extern "C"
