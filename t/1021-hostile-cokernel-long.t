#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# t/1021-hostile-cokernel.t with the co-kernels for which a limit has to pass.
LONG=yes exec "$(dirname "$0")/1021-hostile-cokernel.t"
