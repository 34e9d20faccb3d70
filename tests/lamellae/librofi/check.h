/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CHECK_H
#define CHECK_H

#include <rofi.h>
#include <stdio.h>
#include <stdlib.h>

/* End this process with a line if `condition` does not hold; its launcher ends the others. */
#define CHECK(condition)                                                                     \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      fprintf(stderr, "%s:%d: process %u: %s\n", __FILE__, __LINE__, rofi_get_id(), #condition); \
      exit(1);                                                                               \
    }                                                                                        \
  } while (0)

#endif
