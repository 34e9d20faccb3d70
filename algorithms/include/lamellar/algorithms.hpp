// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Everything that the layer algorithms offers: what all PEs do together; for users.
// Our own sources include single headers.
