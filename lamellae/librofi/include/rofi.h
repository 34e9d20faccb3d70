/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROFI_H
#define ROFI_H

/* The C interface of ROFI, a small remote-memory layer over libfabric: symmetric memory that
 * every process of a job allocates together, puts and gets between processes, a barrier. The
 * names, arguments and meanings are those of PNNL's ROFI 0.3, so that programs and bindings
 * written for it link against this library unchanged. It runs over any provider of libfabric
 * with reliable datagrams, tcp included, and under any launcher that speaks PMIx, or
 * lamellar-run.
 *
 * Functions that return int return 0, or -1 after a line on stderr that says why.
 *
 * Addresses: `dst` of a put and `src` of a get lie in memory of rofi_alloc() or
 * rofi_sub_alloc(), as the caller has it: the same place in the memory of process `id` is
 * meant. The other side may be any memory.
 *
 * Progress: a process serves the puts and gets of others while it is inside a call of this
 * library. One that computes for long should call rofi_flush() now and then.
 *
 * Thread-safety: any thread, except in rofi_init() and rofi_finit(). One collective at a time.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Kept for programs that name it. */
#define ROFI_ERR_ALLOC 0x01

/* Join the job. `provs`, `domains`: lists separated by ';', in order of preference, or NULL; the
 * first that works is taken, else any that does. Collective. */
int rofi_init(char* provs, char* domains);
/* Wait for what is under way, and leave the job. Memory that was allocated is gone. Collective. */
int rofi_finit(void);

/* Number of processes of the job, and the number of this one. */
unsigned int rofi_get_size(void);
unsigned int rofi_get_id(void);

/* Make progress. Does not wait. */
int rofi_flush(void);
/* Wait until all that rofi_put() and rofi_get() have begun is complete: what was put is there. */
int rofi_wait(void);

/* Begin to write `size` bytes at `src` to `dst` of process `id`; to read them from `src` of
 * process `id` to `dst`. The memory must stay as it is until rofi_wait(). `flags` is not used. */
int rofi_put(void* dst, void* src, size_t size, unsigned int id, unsigned long flags);
int rofi_get(void* dst, void* src, size_t size, unsigned int id, unsigned long flags);
/* The same, and wait for it, and for nothing else. */
int rofi_iput(void* dst, void* src, size_t size, unsigned int id, unsigned long flags);
int rofi_iget(void* dst, void* src, size_t size, unsigned int id, unsigned long flags);

/* Send a message; `buf` may be used again when this returns. Messages of more than 8 KiB, and
 * those beyond the 32nd that a process has not taken, wait until they are received. */
int rofi_send(unsigned int id, void* buf, size_t size, unsigned long flags);
/* Receive the next message, from whichever process, of at most `size` bytes. Longer ones are
 * lost with an error here. */
int rofi_recv(void* buf, size_t size, unsigned long flags);

/* Allocate `size` bytes of zeroed memory on every process. Collective. */
int rofi_alloc(size_t size, unsigned long flags, void** addr);
/* The same on the `num_pes` processes in `pes`, the caller among them: the same list on each.
 * Collective over them. */
int rofi_sub_alloc(size_t size, unsigned long flags, void** addr, uint64_t* pes,
                   uint64_t num_pes);
/* Free memory of rofi_alloc(); of rofi_sub_alloc(). Collective over those who have it. */
int rofi_release(void* addr);
int rofi_sub_release(void* addr, uint64_t* pes, uint64_t num_pes);

/* Wait until every process is here. Says nothing about puts: call rofi_wait() before. */
void rofi_barrier(void);

/* Where `addr` of this process lies on process `id`, as that one would write it; and back. NULL
 * if `addr` is in no memory that both share. */
void* rofi_get_remote_addr(void* addr, unsigned int id);
void* rofi_get_local_addr_from_remote_addr(void* addr, unsigned int id);

#ifdef __cplusplus
}
#endif

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#endif
