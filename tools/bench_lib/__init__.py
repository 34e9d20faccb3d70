# SPDX-License-Identifier: BSD-3-Clause
"""What tools/bench and benchmarks/acceptance.py are made of; README of the parts: docs/performance.md."""
