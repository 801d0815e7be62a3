#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# t/1020-fuzz-ioctl.t with a million calls.
CALLS=${CALLS:-500000} LIMIT=7200 exec "$(dirname "$0")/1020-fuzz-ioctl.t"
