/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program must not do: instructions of a kernel, addresses of the kernel, frames
 * of signals that lie. Each attempt says which signal it got, with which code.
 */
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "calls.h"

#define PAGE 4096u
#define NOT_CANONICAL 0x800000000000ul

static sigjmp_buf back;
static siginfo_t last;
static uint8_t *code; /* a page that can be run, and then written anew */
static void (*spoil)(ucontext_t *context);

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	/* With AC, which a handler inherits, the C library would fault */
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~0x40000ull);
	last = *info;
	siglongjmp(back, 1);
}

static void on_user_signal(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	spoil(context);
}

static void prepare(void)
{
	static uint8_t stack[64 * 1024];
	stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS };
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	sigaltstack(&alternative, NULL);
	action.sa_sigaction = on_fault;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigaction(faults[i], &action, NULL);
	action.sa_sigaction = on_user_signal;
	sigaction(SIGUSR1, &action, NULL);
	code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED)
		exit(2);
}

/* What the last attempt got; address is one that the signal shall tell, or 0. */
static void say_signal(const char *what, unsigned long address)
{
	printf("%s: signal %d code %d%s\n", what, last.si_signo, last.si_code,
	       address != 0 && (unsigned long)last.si_addr == address ? " at the address" : "");
	fflush(stdout);
}

/*
 * Runs bytes, then RET, with RAX = R8 = value and RCX = RDX = 0. Inlined registers that
 * they may change are lost.
 */
static bool runs(const uint8_t *bytes, size_t count, unsigned long value)
{
	mprotect(code, PAGE, PROT_READ | PROT_WRITE);
	memcpy(code, bytes, count);
	code[count] = 0xc3;
	mprotect(code, PAGE, PROT_READ | PROT_EXEC);
	if (sigsetjmp(back, 1) != 0)
		return false;
	__asm__ volatile("mov %0, %%r8\n\txor %%ecx, %%ecx\n\txor %%edx, %%edx\n\tcall *%1"
			 :
			 : "a"(value), "b"(code)
			 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	return true;
}

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static void attempt(const char *what, const uint8_t *bytes, size_t count, unsigned long value)
{
	if (runs(bytes, count, value)) {
		printf("%s: nothing\n", what);
		fflush(stdout);
	} else {
		say_signal(what, 0);
	}
}

/* Kernels answer this in ways of their own; what counts is that the program goes on. */
static void survive(const uint8_t *bytes, size_t count, unsigned long value)
{
	runs(bytes, count, value);
}

static void instructions(void)
{
	part("instructions of a kernel");
	attempt("hlt", BYTES(0xf4), 0);
	attempt("cli", BYTES(0xfa), 0);
	attempt("sti", BYTES(0xfb), 0);
	attempt("in", BYTES(0xec), 0);
	attempt("out", BYTES(0xee), 0);
	attempt("ins", BYTES(0x6c), 0);
	attempt("rdmsr", BYTES(0x0f, 0x32), 0);
	attempt("wrmsr", BYTES(0x0f, 0x30), 0);
	attempt("rdpmc", BYTES(0x0f, 0x33), 0);
	attempt("read CR0", BYTES(0x0f, 0x20, 0xc0), 0);
	attempt("write CR0", BYTES(0x0f, 0x22, 0xc0), 0);
	attempt("read CR3", BYTES(0x0f, 0x20, 0xd8), 0);
	attempt("write CR3", BYTES(0x0f, 0x22, 0xd8), 0);
	attempt("write CR4", BYTES(0x0f, 0x22, 0xe0), 0);
	attempt("write CR8", BYTES(0x44, 0x0f, 0x22, 0xc0), 0);
	attempt("read DR7", BYTES(0x0f, 0x21, 0xf8), 0);
	attempt("clts", BYTES(0x0f, 0x06), 0);
	attempt("invd", BYTES(0x0f, 0x08), 0);
	attempt("wbinvd", BYTES(0x0f, 0x09), 0);
	attempt("invlpg", BYTES(0x0f, 0x01, 0x38), (unsigned long)code);
	attempt("lgdt", BYTES(0x0f, 0x01, 0x10), (unsigned long)code);
	attempt("lidt", BYTES(0x0f, 0x01, 0x18), (unsigned long)code);
	attempt("lldt", BYTES(0x0f, 0x00, 0xd0), 0);
	attempt("ltr", BYTES(0x0f, 0x00, 0xd8), 0);
	attempt("lmsw", BYTES(0x0f, 0x01, 0xf0), 0);
	attempt("swapgs", BYTES(0x0f, 0x01, 0xf8), 0);
	attempt("sysret", BYTES(0x0f, 0x07), 0);
	attempt("sysexit", BYTES(0x0f, 0x35), 0);
	attempt("xsetbv", BYTES(0x0f, 0x01, 0xd1), 1);
	attempt("stac", BYTES(0x0f, 0x01, 0xcb), 0);
	attempt("clac", BYTES(0x0f, 0x01, 0xca), 0);
	attempt("rsm", BYTES(0x0f, 0xaa), 0);
	attempt("vmlaunch", BYTES(0x0f, 0x01, 0xc2), 0);
	attempt("ud2", BYTES(0x0f, 0x0b), 0);
	attempt("lock nop", BYTES(0xf0, 0x90), 0);
	attempt("int3", BYTES(0xcc), 0);
	attempt("int1", BYTES(0xf1), 0);
	attempt("divide by 0", BYTES(0xf7, 0xf1), 0);
	attempt("an instruction of 16 bytes",
		BYTES(0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
		      0x66, 0x66, 0x66, 0x90), 0);
	survive(BYTES(0x0f, 0x34), 0); /* sysenter */
	survive(BYTES(0xcd, 0x80), 20);
	survive(BYTES(0x0f, 0x01, 0x00), (unsigned long)code + 64); /* sgdt */
	survive(BYTES(0x0f, 0x01, 0xe0), 0); /* smsw */
}

static void interrupts(void)
{
	uint8_t bytes[] = { 0xcd, 0 };
	char name[16];

	part("each interrupt that Linux keeps for itself");
	for (unsigned int vector = 0; vector < 256; vector++) {
		bytes[1] = (uint8_t)vector;
		if (vector == 4 || vector == 0x80) {
			survive(bytes, sizeof(bytes), 20);
			continue;
		}
		snprintf(name, sizeof(name), "int %u", vector);
		attempt(name, bytes, sizeof(bytes), 0);
	}
}

static void segments(void)
{
	part("segments and flags");
	attempt("mov ds, kernel code", BYTES(0x8e, 0xd8), 0x10);
	attempt("mov ds, far away", BYTES(0x8e, 0xd8), 0xfff8);
	attempt("mov ss, null", BYTES(0x8e, 0xd0), 0);
	attempt("mov ss, kernel data", BYTES(0x8e, 0xd0), 0x18);
	/* No IRET and no far return: QEMU reads their stack as the kernel would, which SMAP stops. */
	/* pushfq; or qword [rsp], 0x3000; popfq; cli */
	attempt("flags that allow cli",
		BYTES(0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 0x30, 0, 0, 0x9d, 0xfa), 0);
	/* pushfq; or qword [rsp], 0x100; popfq; nop */
	attempt("one step", BYTES(0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x90), 0);
	/* the same with NT, then with RF, and two system calls (r8 = 39, getpid) */
	attempt("a nested task", BYTES(0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 0x40, 0, 0, 0x9d, 0x4c,
				       0x89, 0xc0, 0x0f, 0x05, 0x9c, 0x48, 0x81, 0x24, 0x24, 0xff,
				       0xbf, 0xff, 0xff, 0x9d), 39);
	/* std; syscall; cld */
	attempt("a call with the direction flag", BYTES(0xfd, 0x4c, 0x89, 0xc0, 0x0f, 0x05, 0xfc),
		39);
	/* pushfq; or qword [rsp], 0x40000; popfq; mov eax, [rsp + 1] */
	attempt("an unaligned read with AC",
		BYTES(0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 0, 4, 0, 0x9d, 0x8b, 0x44, 0x24, 1), 0);
	/* push MXCSR with all bits; ldmxcsr [rsp] */
	attempt("MXCSR with all bits", BYTES(0x6a, 0xff, 0x0f, 0xae, 0x14, 0x24), 0);
	/* mov rsp, r8; a push, which has no stack */
	attempt("a push to no address", BYTES(0x4c, 0x89, 0xc4, 0x50), NOT_CANONICAL);
	/* xchg rsp, r8; mov eax, 39; syscall; xchg rsp, r8: calls need no stack */
	/* the same, and long enough for interrupts: mov ecx, 1 << 24; dec ecx; jnz */
	survive(BYTES(0x4c, 0x87, 0xc4, 0xb9, 0, 0, 0, 1, 0xff, 0xc9, 0x75, 0xfc, 0x4c, 0x87, 0xc4),
		NOT_CANONICAL);
	attempt("a call on no stack",
		BYTES(0x4c, 0x87, 0xc4, 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0x4c, 0x87, 0xc4),
		0xffff800000000000ul);
}

static void addresses(void)
{
	static const unsigned long places[] = {
		8, 0x7ffffffff000ul, NOT_CANONICAL, 0xdeadbeefdeadbeeful, 0xffff800000000000ul,
		0xffff888000000000ul, 0xffffc90000000000ul, 0xffffff0000000000ul,
		0xffffffff80000000ul, 0xffffffff81000000ul, 0xfffffffffffff000ul,
	};

	part("addresses that are not the program's");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char name[48];

		/* mov al, [r8]; mov [r8], al; jmp r8; prefetch [r8] */
		snprintf(name, sizeof(name), "read %lx", places[i]);
		if (!runs(BYTES(0x41, 0x8a, 0x00), places[i]))
			say_signal(name, places[i]);
		snprintf(name, sizeof(name), "write %lx", places[i]);
		if (!runs(BYTES(0x41, 0x88, 0x00), places[i]))
			say_signal(name, places[i]);
		snprintf(name, sizeof(name), "run %lx", places[i]);
		if (!runs(BYTES(0x41, 0xff, 0xe0), places[i]))
			say_signal(name, places[i]);
		snprintf(name, sizeof(name), "prefetch %lx", places[i]);
		attempt(name, BYTES(0x41, 0x0f, 0x18, 0x08), places[i]);
	}
}

static void protections(void)
{
	uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
	unsigned long at = (unsigned long)page;

	part("memory that is protected");
	page[0] = 0xc3;
	if (!runs(BYTES(0x41, 0xff, 0xe0), at))
		say_signal("run data", at);
	if (!runs(BYTES(0x41, 0x88, 0x00), (unsigned long)code))
		say_signal("write text", (unsigned long)code);
	mprotect(page, PAGE, PROT_READ);
	if (!runs(BYTES(0x41, 0x88, 0x00), at))
		say_signal("write what is to be read", at);
	mprotect(page, PAGE, PROT_NONE);
	if (!runs(BYTES(0x41, 0x8a, 0x00), at))
		say_signal("read what is closed", at);
	munmap(page, PAGE);
	if (!runs(BYTES(0x41, 0x8a, 0x00), at))
		say_signal("read what is gone", at);
}

static void far_rip(ucontext_t *context)
{
	context->uc_mcontext.gregs[REG_RIP] = (long)NOT_CANONICAL;
}

static void kernel_rip(ucontext_t *context)
{
	context->uc_mcontext.gregs[REG_RIP] = (long)0xffffffff80000000ul;
}

static void all_flags(ucontext_t *context)
{
	context->uc_mcontext.gregs[REG_EFL] |= 0x3000;
	context->uc_mcontext.gregs[REG_EFL] &= ~0x200l;
}

static void kernel_segments(ucontext_t *context)
{
	/* CS, GS, FS, SS: 16 bits each */
	context->uc_mcontext.gregs[REG_CSGSFS] = 0x0018000000000010l;
}

static void bad_mxcsr(ucontext_t *context)
{
	context->uc_mcontext.fpregs->mxcsr = 0xffffffff;
}

/* Behind the 512 bytes of FXSAVE: which states there are, and what must be 0. */
static void bad_header(ucontext_t *context)
{
	memset((uint8_t *)context->uc_mcontext.fpregs + 512, 0xff, 64);
}

static void no_state(ucontext_t *context)
{
	context->uc_mcontext.fpregs = (void *)0xffffffff80000000ul;
}

static void return_from_signal(const char *what, void (*how)(ucontext_t *), bool tell)
{
	spoil = how;
	memset(&last, 0, sizeof(last));
	if (sigsetjmp(back, 1) == 0)
		raise(SIGUSR1);
	if (tell)
		say_signal(what, 0);
}

static void frames(void)
{
	part("signal frames that lie");
	return_from_signal("RIP that is no address", far_rip, true);
	return_from_signal("RIP of the kernel", kernel_rip, true);
	return_from_signal("flags that allow cli", all_flags, true);
	attempt("and then cli", BYTES(0xfa), 0);
	return_from_signal("segments of the kernel", kernel_segments, false);
	return_from_signal("MXCSR with all bits", bad_mxcsr, true);
	return_from_signal("a header with all bits", bad_header, false);
	return_from_signal("a state of the FPU in the kernel", no_state, true);
}

static unsigned long selectors(void)
{
	unsigned long ds, es, gs;

	__asm__ volatile("mov %%ds, %0\n\tmov %%es, %1\n\tmov %%gs, %2"
			 : "=r"(ds), "=r"(es), "=r"(gs));
	return ds | es << 16 | gs << 32;
}

static void *old_selectors(void *arg)
{
	unsigned long *seen = arg;

	__asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%gs" : : "r"(0x2b));
	for (int i = 0; i < 100 && (seen[0] = selectors()) == 0x2b002b002bul; i++)
		sched_yield();
	return NULL;
}

/* On one CPU: what one thread has loaded is not for the next. */
static void two_threads(void)
{
	unsigned long theirs = 0, ours = 0;
	pthread_t other;
	cpu_set_t all, one;
	int cpu = 0;

	part("selectors of two threads on one CPU");
	sched_getaffinity(0, sizeof(all), &all);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (pthread_create(&other, NULL, old_selectors, &theirs) == 0) {
		for (int i = 0; i < 200 && ours == 0; i++) {
			ours = selectors();
			sched_yield();
		}
		pthread_join(other, NULL);
	}
	SHOW(ours);
	SHOW(theirs);
	sched_setaffinity(0, sizeof(all), &all);
}

int main(void)
{
	prepare();
	instructions();
	interrupts();
	segments();
	two_threads();
	addresses();
	protections();
	frames();
	return 0;
}
