#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# t/1023-cycles.t a thousand times.
CYCLES=${CYCLES:-1000} LIMIT=14400 exec "$(dirname "$0")/1023-cycles.t"
