// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/access_guard.hpp>
#include <lamellar/substrate/archive.hpp>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/by_value.hpp>
#include <lamellar/substrate/bytes.hpp>
#include <lamellar/substrate/codec.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/completion.hpp>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/exchanged_items.hpp>
#include <lamellar/substrate/fields.hpp>
#include <lamellar/substrate/global_rw_darc.hpp>
#include <lamellar/substrate/heap_usage.hpp>
#include <lamellar/substrate/io/byte_ranges.hpp>
#include <lamellar/substrate/io/file_window.hpp>
#include <lamellar/substrate/io/text.hpp>
#include <lamellar/substrate/item_route.hpp>
#include <lamellar/substrate/local_rw_darc.hpp>
#include <lamellar/substrate/message_group.hpp>
#include <lamellar/substrate/on_caller.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/one_sided_memory_region.hpp>
#include <lamellar/substrate/pe.hpp>
#include <lamellar/substrate/print.hpp>
#include <lamellar/substrate/record.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/run.hpp>
#include <lamellar/substrate/schedule.hpp>
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/signature.hpp>
#include <lamellar/substrate/spawned.hpp>
#include <lamellar/substrate/statistics.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/task_group.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <lamellar/substrate/weak_darc.hpp>
#include <lamellar/substrate/when_all.hpp>
#include <lamellar/substrate/world.hpp>

// Everything that the layer substrate offers: what a message means; for users.
// Our own sources include single headers.
