/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything in this module that differs between kernel versions.
 */
#ifndef PISCES_KMOD_COMPAT_H
#define PISCES_KMOD_COMPAT_H

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/percpu_counter.h>
#include <linux/sched/signal.h>
#include <linux/timer.h>
#include <linux/topology.h>
#include <linux/version.h>
#include <linux/workqueue.h>
#include <asm/apic.h>
#include <asm/smp.h>

/* Takes the pages [FIRST, END) from wherever they are in use, movable ones by moving them. */
static inline int compat_alloc_contig(unsigned long first, unsigned long end)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return alloc_contig_range(first, end, ACR_FLAGS_NONE, GFP_KERNEL | __GFP_NOWARN);
#else
	return alloc_contig_range(first, end, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_NOWARN);
#endif
}

/*
 * Does memory come zeroed out of compat_alloc_contig()? Each page of it passes
 * the allocator's post_alloc_hook(), which clears it under init_on_alloc;
 * under init_on_free it was cleared when it became free.
 */
static inline bool compat_contig_is_zeroed(void)
{
	return want_init_on_free() || want_init_on_alloc(GFP_KERNEL);
}

/* A page that Linux can move elsewhere although it is in use. */
static inline bool compat_page_is_movable(struct page *page)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return PageLRU(page) || page_has_movable_ops(page);
#else
	return PageLRU(page) || __PageMovable(page);
#endif
}

/* Newer kernels want a queue to say that it is bound to CPUs. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define COMPAT_WQ_PERCPU WQ_PERCPU
#else
#define COMPAT_WQ_PERCPU 0
#endif

/* log2 of the APIC ids that one core may have. */
static inline unsigned int compat_core_shift(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	/* not topology_max_smt_threads(), whose variable is not exported */
	return topology_get_domain_shift(TOPO_CORE_DOMAIN);
#else
	return get_count_order(smp_num_siblings);
#endif
}

/*
 * Writes the interrupt command register. Through the driver's method, since
 * hypervisors replace it; not through apic_icr_write(), which is a static call
 * with an unexported key from 6.5 on. Interrupts of this CPU are off, so that
 * nobody comes between the two halves of the register in xAPIC mode.
 */
static inline void compat_icr_write(u32 low, u32 apic_id)
{
	if (!x2apic_mode)
		while (native_apic_mem_read(APIC_ICR) & APIC_ICR_BUSY)
			cpu_relax();
	apic->icr_write(low, apic_id);
}

static inline void compat_timer_delete_sync(struct timer_list *timer)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	timer_delete_sync(timer);
#else
	del_timer_sync(timer);
#endif
}

/*
 * Charges a process with CPU time in user mode, as that of threads that it had. Interrupts
 * are off: so it is with all who take this lock.
 */
static inline void compat_charge_time(struct signal_struct *process, u64 ns)
{
	write_seqlock(&process->stats_lock);
	process->utime += ns;
	process->sum_sched_runtime += ns;
	write_sequnlock(&process->stats_lock);
}

/* Charges an address space with anonymous pages; the tracepoint of such changes is Linux's own. */
static inline void compat_charge_pages(struct mm_struct *mm, long pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	percpu_counter_add(&mm->rss_stat[MM_ANONPAGES], pages);
#else
	atomic_long_add(pages, &mm->rss_stat.count[MM_ANONPAGES]);
#endif
}

static inline void compat_vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

static inline void compat_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

#endif
