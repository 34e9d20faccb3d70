// SPDX-License-Identifier: BSD-3-Clause
#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/substrate/detail/handler_table.hpp>
#include <memory>

namespace lamellar::detail {

namespace {

constinit handler_node* first_node = nullptr;

/// 64-bit FNV-1a; no more than a fingerprint of a program against itself.
class fingerprint {
 public:
  void add(const void* data, std::size_t bytes) {
    const auto* at = static_cast<const unsigned char*>(data);
    for (std::size_t k = 0; k < bytes; ++k) {
      value_ = (value_ ^ at[k]) * 0x100000001b3u;
    }
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

/// Where a module is mapped, and the id that the linker gave it.
struct module_facts {
  std::uintptr_t base = 0;
  std::string build_id;
};

module_facts facts_of(const void* address) {
  struct search {
    std::uintptr_t address;
    module_facts found;
  } s{reinterpret_cast<std::uintptr_t>(address), {}};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* state) {
        auto& wanted = *static_cast<search*>(state);
        bool inside = false;
        for (int k = 0; k < info->dlpi_phnum; ++k) {
          const ElfW(Phdr)& header = info->dlpi_phdr[k];
          const std::uintptr_t start = info->dlpi_addr + header.p_vaddr;
          inside = inside || (header.p_type == PT_LOAD && wanted.address >= start &&
                              wanted.address < start + header.p_memsz);
        }
        if (!inside) {
          return 0;
        }
        wanted.found.base = info->dlpi_addr;
        for (int k = 0; k < info->dlpi_phnum; ++k) {
          const ElfW(Phdr)& header = info->dlpi_phdr[k];
          if (header.p_type != PT_NOTE) {
            continue;
          }
          const auto* at = reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);
          const char* end = at + header.p_memsz;
          while (end - at >= static_cast<std::ptrdiff_t>(sizeof(ElfW(Nhdr)))) {
            ElfW(Nhdr) note;
            std::memcpy(&note, at, sizeof(note));
            const char* name = at + sizeof(note);
            const char* content = name + ((note.n_namesz + 3u) & ~3u);
            if (note.n_type == NT_GNU_BUILD_ID) {
              wanted.found.build_id.assign(content, note.n_descsz);
            }
            at = content + ((note.n_descsz + 3u) & ~3u);
          }
        }
        return 1;
      },
      &s);
  return s.found;
}

std::uintptr_t offset_in_module(const handler_node& node) {
  return reinterpret_cast<std::uintptr_t>(node.run) - facts_of(node.module).base;
}

}  // namespace

void link_handler(handler_node& node) {
  node.next = first_node;
  first_node = &node;
}

const handler_table& handler_table::instance() {
  static const handler_table table;
  return table;
}

handler_table::handler_table() {
  std::vector<handler_node*> all;
  for (handler_node* node = first_node; node != nullptr; node = node->next) {
    all.push_back(node);
  }
  // By name; where the compiler gave two handlers one name, by module and place in it.
  std::sort(all.begin(), all.end(), [](const handler_node* a, const handler_node* b) {
    if (const int order = std::strcmp(a->name, b->name); order != 0) {
      return order < 0;
    }
    if (a->module != b->module) {
      return facts_of(a->module).build_id < facts_of(b->module).build_id;
    }
    return offset_in_module(*a) < offset_in_module(*b);
  });
  fingerprint print;
  for (handler_node* node : all) {
    const bool same_name_as_last =
        !nodes_.empty() && std::strcmp(nodes_.back()->name, node->name) == 0;
    if (same_name_as_last && nodes_.back()->run == node->run) {
      node->id = nodes_.back()->id;  // one handler that two libraries registered
      continue;
    }
    if (same_name_as_last) {
      const std::string id = facts_of(node->module).build_id;
      const std::uint64_t offset = offset_in_module(*node);
      print.add(id.data(), id.size());
      print.add(&offset, sizeof(offset));
    }
    const std::size_t number = first_handler + nodes_.size();
    if (number > 0xffff) {
      throw config_error(
          "this program has more than 65000 kinds of messages; send fewer "
          "distinct callables");
    }
    node->id = static_cast<std::uint16_t>(number);
    nodes_.push_back(node);
    print.add(node->name, std::strlen(node->name) + 1);
    const std::uint64_t bytes = node->record_bytes;
    print.add(&bytes, sizeof(bytes));
  }
  digest_ = print.value();
}

std::string handler_table::readable(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text{
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free};
  return status == 0 ? std::string{text.get()} : std::string{mangled};
}

std::string handler_table::listing() const {
  std::string all;
  for (const handler_node* node : nodes_) {
    all += fmt::format("{} (records of {} bytes)\n", readable(node->name), node->record_bytes);
  }
  return all;
}

}  // namespace lamellar::detail
