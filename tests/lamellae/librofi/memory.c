/* SPDX-License-Identifier: BSD-3-Clause */
/* Symmetric memory: allocated by all and by some, written and read by all, translated, freed. */
#include <string.h>

#include "check.h"

enum { words = 1 << 16 };

static void put_and_get(unsigned me, unsigned size) {
  uint64_t* area = NULL;
  uint64_t* mine = malloc(words * sizeof *mine);
  unsigned id;
  size_t k;
  CHECK(rofi_alloc(size * words * sizeof *area, 0, (void**)&area) == 0);
  for (k = 0; k < size * (size_t)words; ++k) CHECK(area[k] == 0);
  for (k = 0; k < words; ++k) mine[k] = (uint64_t)me << 32 | k;
  rofi_barrier();
  /* Everybody writes its row to everybody. */
  for (id = 0; id < size; ++id) {
    CHECK(rofi_put(area + me * (size_t)words, mine, words * sizeof *mine, id, 0) == 0);
  }
  CHECK(rofi_wait() == 0);
  rofi_barrier();
  for (id = 0; id < size; ++id) {
    for (k = 0; k < words; ++k) CHECK(area[id * (size_t)words + k] == ((uint64_t)id << 32 | k));
  }
  /* Everybody reads the next one's row of the one after. */
  for (id = 0; id < size; ++id) {
    const unsigned row = (id + 1) % size;
    memset(mine, 0, words * sizeof *mine);
    if (id % 2 == 0) {
      CHECK(rofi_iget(mine, area + row * (size_t)words, words * sizeof *mine, id, 0) == 0);
    } else {
      CHECK(rofi_get(mine, area + row * (size_t)words, words * sizeof *mine, id, 0) == 0);
      CHECK(rofi_wait() == 0);
    }
    for (k = 0; k < words; ++k) CHECK(mine[k] == ((uint64_t)row << 32 | k));
  }
  rofi_barrier();
  /* One word, at once. */
  mine[0] = 1000 + me;
  CHECK(rofi_iput(area + me, mine, sizeof *mine, (me + 1) % size, 0) == 0);
  rofi_barrier();
  CHECK(area[(me + size - 1) % size] == 1000 + (me + size - 1) % size);
  rofi_barrier();
  CHECK(rofi_release(area) == 0);
  free(mine);
}

static void many_areas(unsigned me, unsigned size) {
  char* areas[20];
  int k;
  for (k = 0; k < 20; ++k) CHECK(rofi_alloc(100 + 1000 * k, 0, (void**)&areas[k]) == 0);
  for (k = 0; k < 20; ++k) {
    char sent[100];
    memset(sent, k + (int)me, sizeof sent);
    CHECK(rofi_iput(areas[k], sent, sizeof sent, (me + 1) % size, 0) == 0);
  }
  rofi_barrier();
  for (k = 0; k < 20; ++k) {
    CHECK(areas[k][0] == (char)(k + (int)((me + size - 1) % size)));
    CHECK(areas[k][99] == areas[k][0]);
  }
  rofi_barrier();
  for (k = 19; k >= 0; --k) CHECK(rofi_release(areas[k]) == 0);
}

static void some_processes(unsigned me, unsigned size) {
  /* Those with even numbers. */
  uint64_t* pes = malloc(size * sizeof *pes);
  uint64_t count = 0;
  unsigned id;
  for (id = 0; id < size; id += 2) pes[count++] = id;
  if (me % 2 == 0) {
    uint64_t* area = NULL;
    const uint64_t mark = 77 + me;
    CHECK(rofi_sub_alloc(4096, 0, (void**)&area, pes, count) == 0);
    CHECK(rofi_iput(area + me, (void*)&mark, sizeof mark, (unsigned)pes[(me / 2 + 1) % count], 0) == 0);
    for (id = 0; id < size; ++id) {
      /* Those without a part are not reached. */
      CHECK((rofi_get_remote_addr(area, id) != NULL) == (id % 2 == 0));
    }
    CHECK(rofi_sub_release(area, pes, count) == 0);
  }
  rofi_barrier();
  free(pes);
}

static void addresses(unsigned me, unsigned size) {
  char* area = NULL;
  unsigned id;
  CHECK(rofi_alloc(8192, 0, (void**)&area) == 0);
  CHECK(rofi_get_remote_addr(area + 17, me) == (void*)(area + 17));
  for (id = 0; id < size; ++id) {
    void* there = rofi_get_remote_addr(area + 4097, id);
    CHECK(there != NULL);
    CHECK(rofi_get_local_addr_from_remote_addr(there, id) == (void*)(area + 4097));
  }
  CHECK(rofi_get_remote_addr(&id, me) == NULL);
  rofi_barrier();
  CHECK(rofi_release(area) == 0);
}

static void wrong_arguments(unsigned size) {
  char* area = NULL;
  char byte = 1;
  CHECK(rofi_alloc(0, 0, (void**)&area) == -1);
  CHECK(rofi_alloc(4096, 0, (void**)&area) == 0);
  CHECK(rofi_put(area, &byte, 1, size, 0) == -1);
  CHECK(rofi_put(NULL, &byte, 1, 0, 0) == -1);
  CHECK(rofi_put(area, &byte, 0, 0, 0) == -1);
  CHECK(rofi_put(&byte, &byte, 1, 0, 0) == -1);
  CHECK(rofi_iput(area + 4000, area, 100, 0, 0) == -1);
  CHECK(rofi_iget(&byte, area + 5000, 1, 0, 0) == -1);
  CHECK(rofi_release(&byte) == -1);
  CHECK(rofi_init(NULL, NULL) == -1);
  rofi_barrier();
  CHECK(rofi_release(area) == 0);
}

int main(void) {
  unsigned me, size;
  char none[] = "no_such_provider;tcp";
  CHECK(rofi_flush() == -1);
  CHECK(rofi_init(none, NULL) == 0);
  me = rofi_get_id();
  size = rofi_get_size();
  CHECK(size > 0 && me < size);
  put_and_get(me, size);
  many_areas(me, size);
  some_processes(me, size);
  addresses(me, size);
  wrong_arguments(size);
  CHECK(rofi_finit() == 0);
  if (me == 0) printf("memory: all right\n");
  return 0;
}
