/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a task has used, told by a CPU that switches all the time and read by another: never
 * more than the time that went by, whenever one looks, and all of it in the end.
 */
#include <asm/prctl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"

#include "arch/cpu.h"
#include "arch/x86.h"
#include "boot/boot.h"
#include "lib/print.h"
#include "task/process.h"
#include "task/usage.h"

#define SWITCHES 5000u
#define TASK 7u

static struct pisces_boot_block block = {
	.usage = { 0, PISCES_MAX_TASKS * sizeof(struct pisces_task_usage) },
};
const struct pisces_boot_block *boot_block = &block;
static struct pisces_task_usage area[PISCES_MAX_TASKS];
static struct pisces_cpu_status status;
static struct process process = { .task = TASK };
static uint64_t began, ended;
static bool over;

void *boot_area(struct pisces_boot_area wanted)
{
	(void)wanted;
	return area;
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	abort();
}

/* A CPU that runs the task all the time, in stretches; a nanosecond is a tick of the TSC. */
static void *run(void *unused)
{
	static struct cpu cpu = { .self = &cpu, .status = &status };
	uint64_t start, now, i;

	syscall(SYS_arch_prctl, ARCH_SET_GS, &cpu);
	start = rdtsc();
	__atomic_store_n(&began, start, __ATOMIC_RELEASE);
	usage_switch(NULL, 0, &process);
	for (i = 0; i < SWITCHES; i++) {
		while ((now = rdtsc()) - start < 1000 + i % 64 * 10000)
			;
		usage_switch(&process, now - start, i + 1 < SWITCHES ? &process : NULL);
		start = now;
	}
	ended = start;
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	return unused;
}

/* As the module reads it. */
static uint64_t used(uint64_t *now)
{
	uint64_t sum = __atomic_load_n(&area[TASK].cpu_ns, __ATOMIC_ACQUIRE);
	uint64_t running = __atomic_load_n(&status.running, __ATOMIC_ACQUIRE);
	uint64_t since = pisces_running_since(running);

	__builtin_ia32_lfence(); /* or the TSC is read while the words are still on their way */
	*now = rdtsc();
	if (pisces_running_task(running) == TASK && *now > since)
		sum += *now - since;
	return sum;
}

int main(void)
{
	uint64_t looks = 0, too_much = 0, now, sum;
	pthread_t thread;

	ok(pisces_running_task(0) == UINT32_MAX, "0 is nobody");
	ok(pisces_running_task(pisces_running(12345, 0)) == 0 &&
		   pisces_running_since(pisces_running(12345, 0)) == PISCES_RUNNING_GRAIN,
	   "task 0 from the next full grain on");
	ok(pisces_running_since(pisces_running(UINT64_MAX - 5, 3)) == 0 &&
		   pisces_running_task(UINT64_MAX) >= PISCES_MAX_TASKS,
	   "what cannot be does no harm");

	usage_init();
	pthread_create(&thread, NULL, run, NULL);
	while (__atomic_load_n(&began, __ATOMIC_ACQUIRE) == 0)
		;
	do {
		sum = used(&now);
		looks++;
		too_much += sum > now - began;
	} while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE));
	pthread_join(thread, NULL);
	printf("# %lu looks while it switched %u times\n", (unsigned long)looks, SWITCHES);
	ok(looks > 1000 && too_much == 0, "never more than the time that went by (%lu times)",
	   (unsigned long)too_much);
	ok(used(&now) == ended - began, "all of it in the end");
	ok(status.running == 0, "and nobody has the CPU");

	usage_of(&process)->resident = 4096;
	usage_end(&process);
	ok(area[TASK].resident == 0, "its memory is given back");
	return done();
}
