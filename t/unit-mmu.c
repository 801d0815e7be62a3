/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit-mm.h"
#include "unit-mmu.h"

#include "arch/paging.h"
#include "arch/tlb.h"
#include "arch/user.h"
#include "lib/errno.h"
#include "mm/direct.h"
#include "mm/heap.h"
#include "mm/page.h"

#define TLB_SIZE 256u
#define WALKS_SIZE 64u
#define KERNEL_ENTRY 0x5ca1ab1e00000000ull
#define PROGRAMS_ENTRY 0x0ddba11000000000ull

/* A translation that a CPU remembers. */
struct translation {
	bool valid, write, execute;
	user_addr_t page;
	phys_addr_t phys;
};

/* A CPU; with the tables that its last walks went through, which it may use again. */
struct cpu {
	struct translation tlb[TLB_SIZE];
	phys_addr_t walks[WALKS_SIZE];
	unsigned int walk_count;
};

static struct cpu cpus[MMU_CPUS];
static struct aspace *loaded;
static struct random dice = { 99 };

uint64_t mmu_faults;
uint64_t mmu_early_frees;
uint64_t mmu_other_bytes;
bool mmu_empty_tables_allowed;
uint64_t allocations_left = UINT64_MAX;
uint64_t allocations;
uint64_t heap_objects;

/* ---- memory that runs out ---- */

static bool may_allocate(void)
{
	__atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
	if (allocations_left == UINT64_MAX)
		return true;
	if (allocations_left == 0)
		return false;
	allocations_left--;
	return true;
}

phys_addr_t __real_page_alloc(unsigned int order, node_id_t node, unsigned int how);
void __real_page_free(phys_addr_t block, unsigned int order);
void __real_page_put(phys_addr_t block, unsigned int order);
phys_addr_t __wrap_page_alloc(unsigned int order, node_id_t node, unsigned int how);
void __wrap_page_free(phys_addr_t block, unsigned int order);
void __wrap_page_put(phys_addr_t block, unsigned int order);

/* Memory was used before: only what is cleared is zero. */
static phys_addr_t make_dirty(phys_addr_t block, unsigned int order)
{
	uint64_t step = order > 9 ? LARGE_PAGE_SIZE : PAGE_SIZE;

	for (uint64_t at = 0; block != PAGE_NONE && at < PAGE_SIZE << order; at += step)
		memset(phys_to_virt(block + at), 0xa5, PAGE_SIZE);
	return block;
}

phys_addr_t __wrap_page_alloc(unsigned int order, node_id_t node, unsigned int how)
{
	phys_addr_t block = may_allocate() ? __real_page_alloc(order, node, how) : PAGE_NONE;

	return how & PAGE_ZERO ? block : make_dirty(block, order);
}

static bool is_known(phys_addr_t block, uint64_t size)
{
	for (unsigned int c = 0; c < MMU_CPUS; c++) {
		for (unsigned int i = 0; i < TLB_SIZE; i++) {
			const struct translation *t = &cpus[c].tlb[i];

			if (t->valid && t->phys - block < size)
				return true;
		}
		for (unsigned int i = 0; i < cpus[c].walk_count; i++) {
			if (cpus[c].walks[i] - block < size)
				return true;
		}
	}
	return false;
}

void __wrap_page_free(phys_addr_t block, unsigned int order)
{
	if (loaded != NULL && is_known(block, PAGE_SIZE << order))
		mmu_early_frees++;
	__real_page_free(block, order);
}

void __wrap_page_put(phys_addr_t block, unsigned int order)
{
	if (loaded != NULL && is_known(block, PAGE_SIZE << order))
		mmu_early_frees++;
	__real_page_put(block, order);
}

/* The host's heap, so that its sanitizers see each object. */
void *heap_alloc(size_t size)
{
	if (!may_allocate())
		return NULL;
	__atomic_fetch_add(&heap_objects, 1, __ATOMIC_RELAXED);
	return malloc(size);
}

void *heap_alloc_zero(size_t size)
{
	void *memory = heap_alloc(size);

	return memory != NULL ? memset(memory, 0, size) : NULL;
}

void heap_free(void *memory)
{
	if (memory != NULL)
		__atomic_fetch_sub(&heap_objects, 1, __ATOMIC_RELAXED);
	free(memory);
}

/* ---- the walk ---- */

const uint64_t *paging_kernel_root(void)
{
	static uint64_t root[512];

	for (unsigned int i = 0; i < 512; i++)
		root[i] = KERNEL_ENTRY + i;
	return root;
}

bool mmu_isolated;

const uint64_t *paging_programs_root(void)
{
	static uint64_t root[512];

	for (unsigned int i = 0; i < 512; i++)
		root[i] = PROGRAMS_ENTRY + i;
	return mmu_isolated ? root : NULL;
}

/* The entry at which the walk ends; *LEVEL is its table's. Rights add up on the way. */
static uint64_t walk(struct cpu *cpu, user_addr_t address, unsigned int *level, bool *write,
		     bool *execute)
{
	phys_addr_t table = aspace_root(loaded) + (mmu_isolated ? PAGE_SIZE : 0);

	*write = true;
	*execute = true;
	for (*level = 3;; (*level)--) {
		const uint64_t *entries = phys_to_virt(table);
		uint64_t entry = entries[address >> (12 + 9 * *level) & 511];

		if (!(entry & PTE_PRESENT) || !(entry & PTE_USER))
			return entry;
		*write &= (entry & PTE_WRITE) != 0;
		*execute &= !(entry & PTE_NO_EXEC);
		if (*level == 0 || (entry & PTE_LARGE))
			return entry;
		table = entry & PTE_ADDRESS;
		if (cpu != NULL) {
			if (cpu->walk_count == WALKS_SIZE)
				cpu->walk_count = 0;
			cpu->walks[cpu->walk_count++] = table;
		}
	}
}

static struct translation translate(struct cpu *cpu, user_addr_t address)
{
	struct translation t = { .page = address & ~(PAGE_SIZE - 1) };
	unsigned int level;
	uint64_t entry = walk(cpu, address, &level, &t.write, &t.execute);
	uint64_t size = PAGE_SIZE << (9 * level);

	t.valid = (entry & PTE_PRESENT) && (entry & PTE_USER);
	t.phys = (entry & PTE_ADDRESS & ~(size - 1)) + (t.page & (size - 1));
	return t;
}

/* A CPU may look anything up at any time, also what no program asked for. */
static void speculate(struct cpu *cpu, user_addr_t address)
{
	struct translation t;

	if (address >= USER_END)
		return;
	t = translate(cpu, address);
	if (t.valid)
		cpu->tlb[(t.page >> 12) % TLB_SIZE] = t;
}

void tlb_flush(struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	if (aspace != loaded)
		return;
	for (unsigned int c = 0; c < MMU_CPUS; c++) {
		struct cpu *cpu = &cpus[c];

		/* No more than what was asked for: the others must still be true. */
		for (unsigned int i = 0; i < TLB_SIZE; i++) {
			if (cpu->tlb[i].page >= start && cpu->tlb[i].page < end)
				cpu->tlb[i].valid = false;
		}
		cpu->walk_count = 0;
		speculate(cpu, start);
		speculate(cpu, end - 1);
		for (unsigned int i = 0; i < 6; i++)
			speculate(cpu, start + random_below(&dice, end - start));
	}
}

void mmu_load(struct aspace *aspace)
{
	memset(cpus, 0, sizeof(cpus));
	loaded = aspace;
}

static bool allows(const struct translation *t, enum mmu_access access)
{
	return t->valid && (access != MMU_WRITE || t->write) &&
	       (access != MMU_EXECUTE || t->execute);
}

/* One page. NULL: *error says why. */
static char *reach(struct cpu *cpu, enum mmu_access access, user_addr_t address, int *error)
{
	struct translation *slot = &cpu->tlb[(address >> 12) % TLB_SIZE];

	for (unsigned int tries = 0; tries < 10; tries++) {
		struct translation t = *slot;

		if (!t.valid || t.page != (address & ~(PAGE_SIZE - 1)))
			t = translate(cpu, address);
		if (allows(&t, access)) {
			*slot = t;
			return (char *)phys_to_virt(t.phys) + address % PAGE_SIZE;
		}
		/* A fault drops the translation that it comes from. */
		if (slot->page == t.page)
			slot->valid = false;
		*error = aspace_fault(loaded, address, access == MMU_WRITE, access == MMU_EXECUTE);
		if (*error)
			return NULL;
		__atomic_fetch_add(&mmu_faults, 1, __ATOMIC_RELAXED);
	}
	bail_out("%s at %llx faults again and again", access == MMU_WRITE ? "a write" : "an access",
		 (unsigned long long)address);
}

int mmu_do(unsigned int number, enum mmu_access access, user_addr_t address, void *data,
	   uint64_t size)
{
	while (size > 0) {
		uint64_t piece = PAGE_SIZE - address % PAGE_SIZE;
		int error = -EFAULT;
		char *memory = NULL;

		piece = piece < size ? piece : size;
		if (address < USER_END)
			memory = reach(&cpus[number], access, address, &error);
		if (memory == NULL)
			return error;
		if (access == MMU_READ)
			memcpy(data, memory, piece);
		else if (access == MMU_WRITE)
			memcpy(memory, data, piece);
		data = (char *)data + piece;
		address += piece;
		size -= piece;
	}
	return 0;
}

int mmu_level(user_addr_t address)
{
	unsigned int level;
	bool write, execute;
	uint64_t entry = walk(NULL, address, &level, &write, &execute);

	return entry != 0 ? (int)level : -1;
}

uint64_t mmu_phys(user_addr_t address)
{
	struct translation t = translate(NULL, address);

	return t.valid ? t.phys + address % PAGE_SIZE : PAGE_NONE;
}

/* ---- the audit ---- */

struct region {
	user_addr_t start, end;
	unsigned int prot;
};

static struct region regions[70000];
static unsigned int region_count;
static uint64_t region_bytes;
static uint8_t used[(8ull << 30) / PAGE_SIZE];
static uint64_t leaf_bytes, table_bytes;

static void note_region(user_addr_t start, user_addr_t end, unsigned int prot, void *arg)
{
	(void)arg;
	regions[region_count++] = (struct region){ start, end, prot };
	region_bytes += end - start;
}

static const struct region *find(user_addr_t address)
{
	unsigned int low = 0, high = region_count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (regions[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < region_count && regions[low].start <= address ? &regions[low] : NULL;
}

static bool use(phys_addr_t block, uint64_t size)
{
	for (phys_addr_t page = block; page < block + size; page += PAGE_SIZE) {
		if (used[page / PAGE_SIZE]++)
			return false;
	}
	return true;
}

static const char *audit_leaf(uint64_t entry, unsigned int level, user_addr_t at)
{
	uint64_t size = PAGE_SIZE << (9 * level);
	const struct region *region = find(at);
	bool writable;

	if (region == NULL || at + size > region->end)
		return "a page without a region around it";
	/* But for what is to be copied first, or told of. */
	writable = (region->prot & ASPACE_WRITE) && !(entry & (1ull << 57 | 1ull << 54));
	if ((region->prot != 0) != ((entry & PTE_PRESENT) != 0))
		return "a page that is there though it may not, or the other way round";
	if (region->prot != 0 &&
	    (!(entry & PTE_USER) || writable != !!(entry & PTE_WRITE) ||
	     !(region->prot & ASPACE_EXEC) != !!(entry & PTE_NO_EXEC)))
		return "a page with other rights than its region";
	if (entry & 1ull << 53)
		return NULL; /* the kernel's */
	if ((entry & PTE_ADDRESS) % size != 0 || !use(entry & PTE_ADDRESS, size))
		return "a page that is used twice";
	if (page_order(entry & PTE_ADDRESS) != 9 * level)
		return "a page that was allocated with another size";
	leaf_bytes += size;
	return NULL;
}

static const char *audit_table(phys_addr_t table, unsigned int level, user_addr_t base)
{
	const uint64_t *entries = phys_to_virt(table);
	unsigned int count = 0;

	const unsigned int order = level == 3 && mmu_isolated ? 1 : 0;

	if (!use(table, PAGE_SIZE << order) || page_order(table) != order)
		return "a table that is used twice";
	table_bytes += PAGE_SIZE << order;
	for (unsigned int i = 0; i < (level == 3 ? 256 : 512); i++) {
		user_addr_t at = base + ((uint64_t)i << (12 + 9 * level));
		const char *wrong;

		if (entries[i] == 0)
			continue;
		count++;
		if (entries[i] & 1ull << 52)
			return "an entry that was hidden and never released";
		if (level > 0 && !(entries[i] & PTE_LARGE)) {
			if (!(entries[i] & PTE_PRESENT))
				return "a table that is not present";
			wrong = audit_table(entries[i] & PTE_ADDRESS, level - 1, at);
		} else {
			wrong = audit_leaf(entries[i], level, at);
		}
		if (wrong != NULL)
			return wrong;
	}
	return count > 0 || level == 3 || mmu_empty_tables_allowed ? NULL : "an empty table";
}

static const char *audit_tlb(void)
{
	for (unsigned int c = 0; c < MMU_CPUS; c++) {
		for (unsigned int i = 0; i < TLB_SIZE; i++) {
			const struct translation *t = &cpus[c].tlb[i];
			struct translation now;

			if (!t->valid)
				continue;
			now = translate(NULL, t->page);
			if (!now.valid || now.phys != t->phys || (t->write && !now.write) ||
			    (t->execute && !now.execute))
				return "a CPU remembers what is no longer true";
		}
	}
	return NULL;
}

const char *mmu_audit(void)
{
	const uint64_t *root = phys_to_virt(aspace_root(loaded));
	const char *wrong;

	memset(used, 0, sizeof(used));
	region_count = 0;
	region_bytes = leaf_bytes = table_bytes = 0;
	aspace_for_each(loaded, note_region, NULL);
	for (unsigned int i = 0; i < region_count; i++) {
		if (regions[i].start >= regions[i].end || regions[i].start % PAGE_SIZE != 0 ||
		    regions[i].end % PAGE_SIZE != 0 || regions[i].end > USER_END ||
		    (i > 0 && regions[i].start < regions[i - 1].end))
			return "regions overlap or are not in order";
	}
	wrong = audit_table(aspace_root(loaded), 3, 0);
	if (wrong == NULL)
		wrong = audit_tlb();
	if (wrong != NULL)
		return wrong;
	for (unsigned int i = 0; i < 512; i++) {
		if (i >= 256 && root[i] != KERNEL_ENTRY + i)
			return "the kernel's half of the top table has changed";
		if (mmu_isolated && root[512 + i] != (i < 256 ? root[i] : PROGRAMS_ENTRY + i))
			return "a program's own top table is not what it should be";
	}
	if (aspace_resident(loaded) != leaf_bytes || aspace_peak(loaded) < leaf_bytes)
		return "resident bytes are miscounted";
	if (aspace_reserved(loaded) != region_bytes)
		return "reserved bytes are miscounted";
	if (page_total() - page_free_bytes() != leaf_bytes + table_bytes + mmu_other_bytes)
		return "pages are lost";
	return mmu_early_frees != 0 ? "a page was freed while a CPU could still reach it" : NULL;
}
