/* SPDX-License-Identifier: BSD-3-Clause */
/* A small user program in C: a job of one process, which reads back what it has put into memory of its own. */
#include <rofi.h>
#include <stdio.h>

int main(void) {
  char text[] = "hello by rofi_put";
  void* there = NULL;
  if (rofi_init(NULL, NULL) != 0 || rofi_alloc(sizeof text, 0, &there) != 0) {
    return 1;
  }
  rofi_iput(there, text, sizeof text, rofi_get_id(), 0);
  rofi_barrier();
  printf("%s of %u\n", (char*)there, rofi_get_size());
  return rofi_finit();
}
