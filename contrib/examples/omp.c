/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pi by numerical integration, on all CPUs that the program may use. */
#define _GNU_SOURCE
#include <math.h>
#include <omp.h>
#include <sched.h>
#include <stdio.h>

#define STEPS 20000000

int main(void)
{
	const double width = 1.0 / STEPS;
	double sum = 0;
	cpu_set_t used;
	int threads = 0;

	CPU_ZERO(&used);
#pragma omp parallel reduction(+ : sum)
	{
		long i;

#pragma omp single
		threads = omp_get_num_threads();
#pragma omp for schedule(static)
		for (i = 0; i < STEPS; i++) {
			double x = ((double)i + 0.5) * width;

			sum += 4.0 / (1.0 + x * x);
		}
#pragma omp critical
		CPU_SET(sched_getcpu(), &used);
	}
	sum *= width;
	printf("pi is about %.10f, by %d threads on %d CPUs\n", sum, threads, CPU_COUNT(&used));
	return fabs(sum - 3.14159265358979) < 1e-9 ? 0 : 1;
}
