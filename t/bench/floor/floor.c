// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For benchmarks: what Linux's own operations on memory cost, that have no interface
 * in user space. Write "contig NODE BYTES" or "remove BASE BYTES" to
 * /proc/pisces-floor, then read from it what taking, giving back and, for contig,
 * clearing it took, in ns.
 */
#include <linux/ktime.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#define ALIGN_PAGES (0x200000ul / PAGE_SIZE)

static u64 take_ns, give_ns, clear_ns;

static int contig_alloc(unsigned long first, unsigned long end)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return alloc_contig_range(first, end, ACR_FLAGS_NONE, GFP_KERNEL | __GFP_NOWARN);
#else
	return alloc_contig_range(first, end, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_NOWARN);
#endif
}

/* The first range from the top of the node down that Linux gives. */
static int floor_contig(int node, unsigned long pages)
{
	struct pglist_data *pgdat;
	unsigned long pfn, bottom, i;

	if (node < 0 || node >= nr_node_ids || !node_online(node))
		return -EINVAL;
	pgdat = NODE_DATA(node);
	bottom = ALIGN(pgdat->node_start_pfn, ALIGN_PAGES);
	pfn = ALIGN_DOWN(pgdat_end_pfn(pgdat), ALIGN_PAGES);
	while (pfn >= bottom + pages) {
		ktime_t start = ktime_get();
		int ret = -EBUSY;

		if (pfn_to_online_page(pfn - pages) && pfn_to_online_page(pfn - 1))
			ret = contig_alloc(pfn - pages, pfn);
		take_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
		if (ret) {
			/* What this attempt cost does not count. */
			pfn -= ALIGN_PAGES;
			continue;
		}
		start = ktime_get();
		for (i = 1; i <= pages; i++)
			clear_page(page_address(pfn_to_page(pfn - i)));
		clear_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
		start = ktime_get();
		free_contig_range(pfn - pages, pages);
		give_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
		return 0;
	}
	return -ENOMEM;
}

static int floor_remove(u64 base, u64 bytes)
{
	int node = page_to_nid(pfn_to_page(PHYS_PFN(base)));
	ktime_t start = ktime_get();
	int ret = offline_and_remove_memory(base, bytes);

	take_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	if (ret)
		return ret;
	start = ktime_get();
	ret = add_memory(node, base, bytes, MHP_NONE);
	give_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	return ret;
}

static ssize_t floor_write(struct file *file, const char __user *buffer, size_t size, loff_t *at)
{
	char text[64];
	u64 where, bytes;
	int ret = -EINVAL;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buffer, size))
		return -EFAULT;
	text[size] = 0;
	if (sscanf(text, "contig %llu %llu", &where, &bytes) == 2)
		ret = floor_contig(where, PHYS_PFN(bytes));
	else if (sscanf(text, "remove %llu %llu", &where, &bytes) == 2 &&
		 pfn_to_online_page(PHYS_PFN(where)))
		ret = floor_remove(where, bytes);
	return ret ?: size;
}

static ssize_t floor_read(struct file *file, char __user *buffer, size_t size, loff_t *at)
{
	char text[96];
	int length = scnprintf(text, sizeof(text), "%llu %llu %llu\n", take_ns, give_ns,
			       clear_ns);

	return simple_read_from_buffer(buffer, size, at, text, length);
}

static const struct proc_ops floor_operations = {
	.proc_read = floor_read,
	.proc_write = floor_write,
};

static int __init floor_init(void)
{
	return proc_create("pisces-floor", 0600, NULL, &floor_operations) ? 0 : -ENOMEM;
}

static void __exit floor_exit(void)
{
	remove_proc_entry("pisces-floor", NULL);
}

module_init(floor_init);
module_exit(floor_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What taking memory from Linux costs at least");
