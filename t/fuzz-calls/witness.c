/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define WORDS (32ul << 20 >> 3)
#define SILENCE_S 40

static const struct timespec tick = { 0, 20000000 };

static uint64_t pattern(uint64_t i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ull;
}

atomic_uint *witness_page(bool is_witness)
{
	/* Whoever comes first makes it. */
	int fd = shm_open("/fuzz-witness", O_RDWR | O_CREAT, 0600);
	atomic_uint *page;

	if (fd < 0 || (is_witness && ftruncate(fd, 4096) != 0))
		return NULL;
	for (int i = 0; !is_witness && lseek(fd, 0, SEEK_END) < 4096 && i < 3000; i++)
		nanosleep(&tick, NULL);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return page == MAP_FAILED ? NULL : page;
}

int witness_watch(atomic_uint *beats)
{
	uint64_t *words = malloc(WORDS * sizeof(*words));
	unsigned long rounds = 0;
	unsigned int last = 0;
	time_t heard = time(NULL);

	if (words == NULL)
		return 2;
	for (uint64_t i = 0; i < WORDS; i++)
		words[i] = pattern(i);
	while (atomic_load(beats) != WITNESS_OVER && time(NULL) - heard < SILENCE_S) {
		for (uint64_t i = 0; i < WORDS; i++) {
			if (words[i] != pattern(i)) {
				printf("witness: word %lu is %lx\n", i, words[i]);
				return 1;
			}
		}
		rounds++;
		if (atomic_load(beats) != last) {
			last = atomic_load(beats);
			heard = time(NULL);
		}
	}
	printf("witness: %lu looks at its memory\n", rounds);
	return rounds > 0 ? 0 : 1;
}
