#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# t/1010-memory-ways.t with 20 enclaves by each way, and more moments to be killed at.
LONG=yes exec "$(dirname "$0")/1010-memory-ways.t"
