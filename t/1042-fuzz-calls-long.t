#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# t/1042-fuzz-calls.t with a million calls.
CALLS=${CALLS:-1000000} LIMIT=14400 exec "$(dirname "$0")/1042-fuzz-calls.t"
