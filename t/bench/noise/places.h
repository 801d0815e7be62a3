/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the linker puts noise.c's functions: see ../run. No program is mapped there by chance. */
#ifndef T_BENCH_NOISE_PLACES_H
#define T_BENCH_NOISE_PLACES_H

#define PLACE_BEGIN 0x71500000ull
#define PLACE_LOOP 0x71600000ull
#define PLACE_END 0x71700000ull
#define PLACE_SIZE 0x100000ull

#endif
