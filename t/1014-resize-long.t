#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# t/1014-resize.t with more changes, and more moments to be killed at.
LONG=yes exec "$(dirname "$0")/1014-resize.t"
