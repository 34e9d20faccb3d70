// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Everything that the layer containers offers: where an element lives; for users.
// Our own sources include single headers.
