// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Everything that the layer substrate offers: what a message means; for users.
// Our own sources include single headers.
