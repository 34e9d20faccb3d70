/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of every size between all processes, and barriers in between. */
#include <string.h>

#include "check.h"

enum { largest = 1 << 20 };

static void fill(unsigned char* into, size_t bytes, unsigned seed) {
  size_t k;
  for (k = 0; k < bytes; ++k) into[k] = (unsigned char)(seed + k * 31);
}

/* A token goes round. */
static void ring(unsigned me, unsigned size, size_t bytes) {
  unsigned char* sent = malloc(bytes);
  unsigned char* got = malloc(bytes);
  fill(sent, bytes, 7);
  if (me == 0) {
    CHECK(rofi_send(1 % size, sent, bytes, 0) == 0);
    CHECK(rofi_recv(got, bytes, 0) == 0);
    CHECK(memcmp(sent, got, bytes) == 0);
  } else {
    CHECK(rofi_recv(got, bytes, 0) == 0);
    CHECK(memcmp(sent, got, bytes) == 0);
    CHECK(rofi_send((me + 1) % size, got, bytes, 0) == 0);
  }
  free(sent);
  free(got);
}

/* More small messages than may wait to be received, and each is there once. */
static void many(unsigned me, unsigned size) {
  enum { count = 2000 };
  uint64_t sum = 0;
  unsigned k;
  if (me == 0) {
    for (k = 0; k < count * (size - 1); ++k) {
      uint64_t got = 0;
      CHECK(rofi_recv(&got, sizeof got, 0) == 0);
      sum += got;
    }
    CHECK(sum == (uint64_t)(size - 1) * count * (count + 1) / 2);
  } else {
    for (k = 1; k <= count; ++k) {
      uint64_t sent = k;
      CHECK(rofi_send(0, &sent, sizeof sent, 0) == 0);
    }
  }
}

static void too_long(unsigned me, unsigned size) {
  unsigned char some[100] = {0};
  if (size == 1) return;
  if (me == 1) CHECK(rofi_send(0, some, sizeof some, 0) == 0);
  if (me == 0) CHECK(rofi_recv(some, 10, 0) == -1);
  rofi_barrier();
}

int main(void) {
  const size_t sizes[] = {1, 15, 16, 1000, 8191, 8192, 8193, 100000, largest};
  unsigned me, size, k;
  CHECK(rofi_init(NULL, NULL) == 0);
  me = rofi_get_id();
  size = rofi_get_size();
  for (k = 0; k < sizeof sizes / sizeof *sizes; ++k) {
    ring(me, size, sizes[k]);
    rofi_barrier();
  }
  many(me, size);
  rofi_barrier();
  too_long(me, size);
  for (k = 0; k < 500; ++k) rofi_barrier();
  CHECK(rofi_finit() == 0);
  if (me == 0) printf("messages: all right\n");
  return 0;
}
