// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From CPUs that Linux has let go of to CPUs that run the co-kernel: INIT and
 * SIPI to all of them at once, through one page below 1 MiB.
 *
 * Linux keeps all memory below 1 MiB for itself and hardly uses it. One page of
 * it is borrowed for the milliseconds of a launch, and put back as it was.
 */

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/msr-index.h>

#include "apic.h"
#include "enclave.h"
#include "launch.h"
#include "trampoline.h"

/*
 * Where to look for the page. First above 64 KiB: some firmware scribbles below,
 * and some kernels look there for its traces.
 */
#define LOW_FIRST 0x10000ul
#define LOW_SECOND 0x1000ul
#define LOW_END 0x9f000ul

#define INIT_WAIT_US 1000    /* as measured to be enough; the manuals say 10 ms for CPUs of 1995 */
#define STARTUP_WAIT_US 200
#define ARRIVE_WAIT_MS 10000 /* an emulator on a busy machine takes its time */
#define SILENCE_WAIT_MS 10   /* from INIT to where a CPU has surely taken it */

static DEFINE_MUTEX(launch_mutex); /* of the page */

struct low_page {
	phys_addr_t phys;
	void *alias; /* writable; Linux's own mapping may be read-only */
	void *saved;
};

/* Memory that Linux has reserved, and so uses for nothing, and in which nothing is. */
static bool low_page_is_free(phys_addr_t phys, void *copy)
{
	unsigned long pfn = PHYS_PFN(phys);

	return page_is_ram(pfn) && pfn_valid(pfn) && PageReserved(pfn_to_page(pfn)) &&
	       !copy_from_kernel_nofault(copy, phys_to_virt(phys), PAGE_SIZE) &&
	       !memchr_inv(copy, 0, PAGE_SIZE);
}

static phys_addr_t low_page_find(void *copy, phys_addr_t first, phys_addr_t end)
{
	phys_addr_t phys;

	for (phys = first; phys < end; phys += PAGE_SIZE)
		if (low_page_is_free(phys, copy))
			return phys;
	return 0;
}

static int low_page_borrow(struct low_page *low)
{
	struct page *page;

	low->saved = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!low->saved)
		return -ENOMEM;
	low->phys = low_page_find(low->saved, LOW_FIRST, LOW_END);
	if (!low->phys)
		low->phys = low_page_find(low->saved, LOW_SECOND, LOW_FIRST);
	if (!low->phys) {
		pr_err("no unused page below 1 MiB to start CPUs with: this machine cannot boot enclaves\n");
		kfree(low->saved);
		return -ENXIO;
	}
	page = pfn_to_page(PHYS_PFN(low->phys));
	low->alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	if (!low->alias) {
		kfree(low->saved);
		return -ENOMEM;
	}
	return 0;
}

static void low_page_return(struct low_page *low)
{
	memcpy(low->alias, low->saved, PAGE_SIZE);
	vunmap(low->alias);
	kfree(low->saved);
}

static u32 trampoline_offset(const u8 *label)
{
	return label - trampoline_start;
}

static void trampoline_write(struct low_page *low, struct enclave *e)
{
	struct trampoline_parameters *to =
		low->alias + trampoline_offset(trampoline_parameters);

	memcpy(low->alias, trampoline_start, trampoline_end - trampoline_start);
	to->gdt_limit = TRAMPOLINE_GDT_BYTES - 1;
	to->gdt_base = low->phys + trampoline_offset(trampoline_gdt);
	to->entry64 = low->phys + trampoline_offset(trampoline_64);
	to->entry64_selector = TRAMPOLINE_CODE64;
	to->cr3 = e->pagetable.root;
	to->efer = EFER_LME | EFER_NX;
	to->boot_block = page_to_phys(e->shared.pages);
	to->entry = e->image_entry;
}

static bool cpu_has_arrived(struct enclave *e, unsigned int i)
{
	return READ_ONCE(e->shared.status->cpu[i].state) != PISCES_CPU_ABSENT;
}

/* CPUs that are launched together: COUNT from index FIRST on. */
struct crew {
	struct enclave *e;
	unsigned int first, count;
};

static unsigned int crew_missing(const struct crew *crew)
{
	unsigned int i, missing = 0;

	for (i = crew->first; i < crew->first + crew->count; i++)
		missing += !cpu_has_arrived(crew->e, i);
	return missing;
}

/* Nobody wants CPUs to run there any more. */
static bool launch_is_over(const struct enclave *e)
{
	return enclave_is_over(e) || READ_ONCE(e->ending);
}

/*
 * Sends something to all of them, as long as the enclave may run: if Linux goes
 * down meanwhile, it has stopped these CPUs and they must stay so.
 */
static void crew_send(const struct crew *crew, void (*send)(u32 apic_id, phys_addr_t page),
		      phys_addr_t page, bool missing_only)
{
	struct enclave *e = crew->e;
	unsigned int i;

	for (i = crew->first; i < crew->first + crew->count; i++) {
		unsigned long flags;

		if (missing_only && cpu_has_arrived(e, i))
			continue;
		spin_lock_irqsave(&e->lock, flags);
		if (e->state == PISCES_ENCLAVE_BOOTING || e->state == PISCES_ENCLAVE_RUNNING)
			send(e->cpus[i].apic_id, page);
		spin_unlock_irqrestore(&e->lock, flags);
	}
}

static void send_init(u32 apic_id, phys_addr_t unused)
{
	apic_send_init(apic_id);
}

static void send_init_deassert(u32 apic_id, phys_addr_t unused)
{
	apic_send_init_deassert(apic_id);
}

static int launch_through(const struct crew *crew, struct low_page *low)
{
	ktime_t limit = ktime_add_ms(ktime_get(), ARRIVE_WAIT_MS);

	crew_send(crew, send_init, 0, false);
	usleep_range(INIT_WAIT_US, INIT_WAIT_US + 100);
	crew_send(crew, send_init_deassert, 0, false);
	crew_send(crew, apic_send_startup, low->phys, false);
	udelay(STARTUP_WAIT_US);
	/* The second one is for CPUs that have missed the first; others ignore it. */
	crew_send(crew, apic_send_startup, low->phys, true);

	while (crew_missing(crew)) {
		if (launch_is_over(crew->e))
			return -ESHUTDOWN;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (ktime_after(ktime_get(), limit))
			return -ETIMEDOUT;
		usleep_range(50, 100);
	}
	return 0;
}

static void crew_stop(const struct crew *crew)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&crew->e->lock, flags);
	for (i = crew->first; i < crew->first + crew->count; i++)
		apic_send_init(crew->e->cpus[i].apic_id);
	spin_unlock_irqrestore(&crew->e->lock, flags);
}

/* What the CPUs need to see until they have page tables of their own. */
static int launch_map(struct enclave *e, struct low_page *low)
{
	phys_addr_t shared = page_to_phys(e->shared.pages);
	int ret;

	ret = pagetable_map(&e->pagetable, low->phys, low->phys, PAGE_SIZE, false);
	if (!ret)
		ret = pagetable_map(&e->pagetable, shared, shared, e->shared.bytes, false);
	if (!ret)
		ret = pagetable_map(&e->pagetable, e->image_virtual, e->image_base,
				    round_up(e->image_bytes, PISCES_MEMORY_ALIGN), true);
	return ret;
}

int launch_cpus(struct enclave *e, unsigned int first, unsigned int count, u64 *ns)
{
	const struct crew crew = { .e = e, .first = first, .count = count };
	struct low_page low;
	ktime_t start;
	int ret;

	ret = mutex_lock_killable(&launch_mutex);
	if (ret)
		return ret;
	ret = low_page_borrow(&low);
	if (ret)
		goto out;
	ret = launch_map(e, &low);
	if (ret)
		goto give_back;
	trampoline_write(&low, e);
	/* No CPU of Linux's starts while these do. */
	cpus_read_lock();
	start = ktime_get();
	WRITE_ONCE(e->launched, true);
	ret = launch_through(&crew, &low);
	*ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	if (ret) {
		enclave_warn(e, "%u of %u CPUs did not arrive in the co-kernel\n",
			     crew_missing(&crew), count);
		/* Whoever is late must not run in the page when it is as it was. */
		crew_stop(&crew);
		msleep(SILENCE_WAIT_MS);
	}
	cpus_read_unlock();
give_back:
	low_page_return(&low);
out:
	mutex_unlock(&launch_mutex);
	return ret;
}
