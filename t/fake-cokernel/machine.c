/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The little that a fake co-kernel needs of the machine. */
#include "fake.h"

#include <pisces/build_id.h>

extern const char image_start[], fake_entry[], image_file_size[], image_memory_size[];

static const struct pisces_image_header header
	__attribute__((section(".image_header"), used)) = {
		.magic = PISCES_IMAGE_MAGIC,
		.abi = PISCES_ABI_VERSION,
		.header_size = sizeof(struct pisces_image_header),
		.build_id = PISCES_BUILD_ID,
		.virtual_base = (uint64_t)image_start,
		.entry = (uint64_t)fake_entry,
		.file_size = (uint64_t)image_file_size,
		.memory_size = (uint64_t)image_memory_size,
	};

#define PAGE 4096u
#define LARGE 0x200000ull
#define PRESENT_WRITE 0x3ull
#define LARGE_PAGE 0x80ull
#define UNCACHED 0x10ull

/* GiB that are mapped as they are: the shared area and the local APIC are in there. */
#define GIB_MAPPED 16u

#define MSR_APIC_BASE 0x1bu
#define APIC_BASE_X2APIC 0x400u
#define MSR_X2APIC_ICR 0x830u
#define ICR_LOW 0x300u
#define ICR_HIGH 0x310u
#define ICR_BUSY 0x1000u

struct fake fake;

static uint64_t top[512] __attribute__((aligned(4096)));
static uint64_t low[512] __attribute__((aligned(4096)));
static uint64_t large[GIB_MAPPED][512] __attribute__((aligned(4096)));
static uint64_t high[512] __attribute__((aligned(4096)));
static uint64_t high_large[512] __attribute__((aligned(4096)));
static bool x2apic;
static volatile uint32_t *apic;

static uint64_t rdmsr(uint32_t msr)
{
	uint32_t a, d;

	__asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(msr));
	return (uint64_t)d << 32 | a;
}

static void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

uint64_t machine_now(void)
{
	return __builtin_ia32_rdtsc();
}

uint64_t machine_ticks(unsigned int ms)
{
	return fake.boot->tsc_khz * ms;
}

void machine_wait(unsigned int ms)
{
	uint64_t until = machine_now() + machine_ticks(ms);

	while (machine_now() < until)
		__builtin_ia32_pause();
}

uint64_t machine_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t phys(const void *address, uint64_t image_base)
{
	return image_base + (uint64_t)((const char *)address - image_start);
}

static void page_tables(uint64_t image_base)
{
	unsigned int i, j;

	for (i = 0; i < GIB_MAPPED; i++) {
		for (j = 0; j < 512; j++)
			large[i][j] = ((uint64_t)i << 30) + j * LARGE + (PRESENT_WRITE | LARGE_PAGE) +
				      (i == 3 ? UNCACHED : 0);
		low[i] = phys(large[i], image_base) | PRESENT_WRITE;
	}
	for (i = 0; i < 32; i++)
		high_large[i] = (image_base + i * LARGE) | PRESENT_WRITE | LARGE_PAGE;
	high[510] = phys(high_large, image_base) | PRESENT_WRITE;
	top[0] = phys(low, image_base) | PRESENT_WRITE;
	top[511] = phys(high, image_base) | PRESENT_WRITE;
	__asm__ volatile("mov %0, %%cr3" : : "r"(phys(top, image_base)) : "memory");
}

void machine_init(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	page_tables(fake.boot->image_base);
	x2apic = base & APIC_BASE_X2APIC;
	apic = (volatile uint32_t *)(base & 0xffffff000ull);
}

void machine_ring(void)
{
	uint64_t bell = __atomic_load_n(&fake.boot->linux_bell, __ATOMIC_RELAXED);
	uint32_t vector = bell & 0xff, to = (uint32_t)(bell >> 32);

	/* Only where Linux has asked for it: any other interrupt is beyond what is tested. */
	if (vector < 0x20)
		return;
	if (x2apic) {
		wrmsr(MSR_X2APIC_ICR, (uint64_t)to << 32 | vector);
		return;
	}
	while (apic[ICR_LOW / 4] & ICR_BUSY)
		__builtin_ia32_pause();
	apic[ICR_HIGH / 4] = to << 24;
	apic[ICR_LOW / 4] = vector;
}

/* The word behind "fake=" on the command line. */
static void read_name(const char *cmdline)
{
	static const char key[] = "fake=";
	unsigned int i, at = 0;

	for (i = 0; cmdline[i] && at < sizeof(key) - 1; i++)
		at = cmdline[i] == key[at] ? at + 1 : cmdline[i] == key[0];
	for (at = 0; at < sizeof(fake.name) - 1 && cmdline[i] > ' '; at++)
		fake.name[at] = cmdline[i++];
	fake.name[at] = 0;
}

bool behaves_as(const char *name)
{
	unsigned int i = 0;

	while (name[i] && name[i] == fake.name[i])
		i++;
	return name[i] == fake.name[i];
}

static void *area(struct pisces_boot_block *boot, struct pisces_boot_area at)
{
	return (char *)boot + at.offset;
}

static uint32_t apic_id(void)
{
	uint32_t a = 0xb, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (b & 0xffff)
		return d;
	a = 1;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b >> 24;
}

static void read_boot_block(struct pisces_boot_block *boot)
{
	fake.status = area(boot, boot->status);
	fake.usage = area(boot, boot->usage);
	fake.in = area(boot, boot->control_in);
	fake.out = area(boot, boot->control_out);
	fake.console = area(boot, boot->console);
	fake.control_slots = boot->control_slots;
	fake.console_slots = boot->console_slots;
	fake.cpu_count = boot->cpu_count;
	read_name(boot->cmdline);
	pisces_ring_attach(&fake.in_end, fake.in, boot->control_slots);
	pisces_ring_attach(&fake.out_end, fake.out, boot->control_slots);
	pisces_ring_attach(&fake.console_end, fake.console, boot->console_slots);
	__atomic_store_n(&fake.boot, boot, __ATOMIC_RELEASE);
}

void fake_main(struct pisces_boot_block *boot);

void fake_main(struct pisces_boot_block *boot)
{
	uint32_t id = apic_id();
	unsigned int index = 0;

	while (index < boot->cpu_count && boot->cpus[index].apic_id != id)
		index++;
	if (index == 0)
		read_boot_block(boot);
	while (!__atomic_load_n(&fake.boot, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
	if (behaves_as("never-arrive"))
		return;
	fake.status->cpu[index].state = PISCES_CPU_ARRIVED;
	machine_init();
	if (index == 0)
		behave_first();
	else
		behave_other();
}

/* The compiler may ask for these. */
void *memset(void *to, int value, size_t bytes);
void *memcpy(void *to, const void *from, size_t bytes);

void *memset(void *to, int value, size_t bytes)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
	return to;
}

void *memcpy(void *to, const void *from, size_t bytes)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
	return to;
}
