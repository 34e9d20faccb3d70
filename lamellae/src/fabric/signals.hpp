// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// libfabric may bring libraries that answer SIGTERM, SIGSEGV and others from the moment they
// are loaded, with a trace of calls and an exit code of 1: a launcher could no longer tell how
// a process has ended.
namespace lamellar::lamellae {

/// Give the signals that such a library took back to the system. Handlers of anybody else
/// stay. Threads: any, but no other should be changing handlers.
void take_back_signals();

}  // namespace lamellar::lamellae
