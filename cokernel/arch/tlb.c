/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A request to CPU c is: count up c->tlb_asked, kick c. C answers by dropping all its
 * translations and setting tlb_served to the count that it had read before. There is
 * nothing to queue and so nothing to be full: requests that come together are
 * answered together.
 */
#include "arch/paging.h"
#include "arch/paging_tables.h"
#include "arch/percpu.h"
#include "arch/tlb.h"
#include "arch/x86.h"
#include "boot/boot.h"
#include "lib/lock.h"
#include "lib/print.h"
#include "mm/aspace.h"

/* Up to so many pages are dropped one by one on the calling CPU. */
#define SINGLE_PAGES 32u

/* Seconds after which a CPU that does not answer is taken for dead. */
#define ANSWER_LIMIT 30u

void lock_relax(void)
{
	__builtin_ia32_pause();
	tlb_serve();
}

void tlb_serve(void)
{
	struct cpu *cpu = this_cpu();
	uint64_t asked = __atomic_load_n(&cpu->tlb_asked, __ATOMIC_ACQUIRE);

	if (likely(asked == cpu->tlb_served))
		return;
	/*
	 * Whoever set this has changed the tables before, so taking it back now, for a
	 * request that may not be counted yet, is not too early.
	 */
	if (__atomic_exchange_n(&cpu->tlb_kernel, 0u, __ATOMIC_SEQ_CST) != 0)
		paging_flush_all();
	else
		write_cr3(read_cr3());
	__atomic_store_n(&cpu->tlb_served, asked, __ATOMIC_RELEASE);
}

static void ask(struct cpu *cpu)
{
	__atomic_fetch_add(&cpu->tlb_asked, 1u, __ATOMIC_SEQ_CST);
	cpu_kick(cpu->index);
}

static void await(struct cpu *cpu)
{
	uint64_t asked = __atomic_load_n(&cpu->tlb_asked, __ATOMIC_ACQUIRE);
	uint64_t until = 0;

	while (__atomic_load_n(&cpu->tlb_served, __ATOMIC_ACQUIRE) < asked) {
		if (__atomic_load_n(&percpu_of(cpu)->parked, __ATOMIC_ACQUIRE))
			return;
		cpu_relax();
		if (until == 0)
			until = rdtsc() + boot_block->tsc_khz * 1000 * ANSWER_LIMIT;
		else if (rdtsc() > until)
			panic("CPU %u has not answered a TLB request for %u seconds", cpu->index,
			      ANSWER_LIMIT);
	}
}

/* FN for each other CPU in the bits at MASK (NULL: all that are up). */
static void for_each_other(const uint64_t *mask, void (*fn)(struct cpu *))
{
	cpu_id_t self = this_cpu()->index;

	for (cpu_id_t i = 0; i < cpu_count; i++) {
		struct cpu *cpu;

		if (mask != NULL && i % 64 == 0 &&
		    __atomic_load_n(&mask[i / 64], __ATOMIC_RELAXED) == 0) {
			i += 63;
			continue;
		}
		if (mask != NULL &&
		    (__atomic_load_n(&mask[i / 64], __ATOMIC_RELAXED) >> (i % 64) & 1) == 0)
			continue;
		cpu = i == self ? NULL : cpu_get(i);
		if (cpu != NULL && !__atomic_load_n(&percpu_of(cpu)->parked, __ATOMIC_SEQ_CST))
			fn(cpu);
	}
}

static void flush_here(user_addr_t start, user_addr_t end)
{
	if (end - start > SINGLE_PAGES * PAGE_SIZE) {
		write_cr3(read_cr3());
		return;
	}
	for (user_addr_t at = align_down(start, PAGE_SIZE); at < end; at += PAGE_SIZE)
		invlpg(at);
}

void tlb_flush(struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	const uint64_t *mask = aspace_cpus(aspace);

	/*
	 * Against the one in tlb_load(): either we see the bit of a CPU that loads
	 * this aspace, or it sees our new entries.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for_each_other(mask, ask);
	if (this_cpu()->aspace == aspace)
		flush_here(start, end);
	for_each_other(mask, await);
}

static void ask_kernel(struct cpu *cpu)
{
	__atomic_store_n(&cpu->tlb_kernel, 1u, __ATOMIC_SEQ_CST);
	ask(cpu);
}

void tlb_flush_kernel(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for_each_other(NULL, ask_kernel);
	paging_flush_all();
	for_each_other(NULL, await);
}

static void set_bit(struct aspace *aspace, cpu_id_t index)
{
	__atomic_fetch_or(&aspace_cpus(aspace)[index / 64], 1ull << (index % 64),
			  __ATOMIC_SEQ_CST);
}

static void clear_bit(struct aspace *aspace, cpu_id_t index)
{
	__atomic_fetch_and(&aspace_cpus(aspace)[index / 64], ~(1ull << (index % 64)),
			   __ATOMIC_SEQ_CST);
}

void tlb_load(struct aspace *aspace)
{
	struct cpu *cpu = this_cpu();
	struct aspace *before = cpu->aspace;

	if (aspace == before)
		return;
	if (aspace != NULL)
		set_bit(aspace, cpu->index);
	cpu->aspace = aspace;
	write_cr3(aspace != NULL ? aspace_root(aspace) : paging_kernel_root_phys());
	if (before != NULL)
		clear_bit(before, cpu->index);
}

static void kick(struct cpu *cpu)
{
	cpu_kick(cpu->index);
}

static bool is_loaded(struct aspace *aspace)
{
	for (unsigned int i = 0; i < PISCES_CPU_WORDS; i++) {
		if (__atomic_load_n(&aspace_cpus(aspace)[i], __ATOMIC_SEQ_CST) != 0)
			return true;
	}
	return false;
}

void tlb_unload(struct aspace *aspace)
{
	struct cpu *cpu = this_cpu();
	uint64_t until = rdtsc() + boot_block->tsc_khz * 1000 * ANSWER_LIMIT;

	/* One that is being ended elsewhere, too: two that wait for each other would never end. */
	if (cpu->current == cpu->idle || cpu->aspace == aspace)
		tlb_load(NULL);
	for_each_other(aspace_cpus(aspace), kick);
	while (is_loaded(aspace)) {
		if (rdtsc() > until)
			panic("a CPU keeps the address space of a program that has ended");
		lock_relax();
	}
}
