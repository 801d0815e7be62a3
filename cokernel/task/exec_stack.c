/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/auxvec.h>

#include "arch/features.h"
#include "arch/user.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/heap.h"
#include "syscall/random.h"
#include "task/exec.h"
#include "task/process.h"
#include "task/signal.h"

#define STACK_LEAST 0x20000ull
#define STACK_MOST 0x40000000ull /* of address space; it is filled as it is used */
#define STACK_GUARD 0x100000ull

#define HWCAP2_FSGSBASE 2u
#define CLOCK_TICKS 100u
#define RANDOM_BYTES 16u

static const char platform[] = "x86_64";

/* What is put on the stack below the strings, one 64-bit word after the other. */
struct words {
	uint64_t *word;
	uint64_t count;
};

static void add(struct words *words, uint64_t value)
{
	words->word[words->count++] = value;
}

static void add_pair(struct words *words, uint64_t type, uint64_t value)
{
	add(words, type);
	add(words, value);
}

/* Pointers to COUNT strings of the copy at AT of TEXT, and NULL. Returns what follows. */
static const char *add_pointers(struct words *words, const char *text, user_addr_t *at,
				uint64_t count)
{
	while (count-- > 0) {
		uint64_t size = strlen(text) + 1;

		add(words, *at);
		*at += size;
		text += size;
	}
	add(words, 0);
	return text;
}

static void add_auxiliary(struct words *words, const struct process *process,
			  const struct program_start *start, user_addr_t execfn,
			  user_addr_t random)
{
	const struct elf_image *image = start->image;

	if (start->vdso)
		add_pair(words, AT_SYSINFO_EHDR, start->vdso);
	add_pair(words, AT_MINSIGSTKSZ, signal_frame_size());
	add_pair(words, AT_HWCAP, cpu_features.hwcap);
	add_pair(words, AT_PAGESZ, PAGE_SIZE);
	add_pair(words, AT_CLKTCK, CLOCK_TICKS);
	add_pair(words, AT_PHDR, image->program_headers);
	add_pair(words, AT_PHENT, image->program_header_size);
	add_pair(words, AT_PHNUM, image->program_header_count);
	add_pair(words, AT_BASE, start->interpreter_base);
	add_pair(words, AT_FLAGS, 0);
	add_pair(words, AT_ENTRY, image->entry);
	add_pair(words, AT_UID, process->uid);
	add_pair(words, AT_EUID, process->uid);
	add_pair(words, AT_GID, process->gid);
	add_pair(words, AT_EGID, process->gid);
	add_pair(words, AT_SECURE, 0);
	add_pair(words, AT_RANDOM, random);
	add_pair(words, AT_HWCAP2, cpu_features.fsgsbase ? HWCAP2_FSGSBASE : 0);
	add_pair(words, AT_EXECFN, execfn);
	add_pair(words, AT_PLATFORM, random + RANDOM_BYTES);
	add_pair(words, AT_NULL, 0);
}
#define AUXILIARY_WORDS (2u * 22)

static int64_t map_stack(struct process *process, bool executable, user_addr_t *top)
{
	unsigned int prot = ASPACE_READ | ASPACE_WRITE | (executable ? ASPACE_EXEC : 0);
	uint64_t size = process->stack_limit;
	int64_t result;

	/* An unlimited stack, too, must end somewhere. */
	size = align_up(min_u64(max_u64(size, STACK_LEAST), STACK_MOST), PAGE_SIZE);
	result = aspace_map(process->aspace, 0, size, prot, ASPACE_GROWS_DOWN);
	if (result < 0)
		return result;
	*top = (user_addr_t)result + size;
	result = aspace_map(process->aspace, *top - size - STACK_GUARD, STACK_GUARD, 0,
			    ASPACE_FIXED_NOREPLACE);
	return result < 0 ? result : (int64_t)size;
}

static int64_t fill(struct process *process, const struct program_start *start, user_addr_t top,
		    struct words *words)
{
	const struct pisces_exec *exec = start->exec;
	uint64_t strings = exec->size - sizeof(*exec);
	uint8_t block[RANDOM_BYTES + sizeof(platform)];
	/* The last word of the stack stays zero. */
	user_addr_t strings_at = align_down(top - 8 - strings, 16);
	user_addr_t block_at = align_down(strings_at - sizeof(block), 16);
	user_addr_t at = strings_at, words_at;
	const char *text = exec->strings;
	int64_t error;

	error = random_bytes(block, RANDOM_BYTES);
	if (error)
		return error;
	memcpy(block + RANDOM_BYTES, platform, sizeof(platform));

	add(words, exec->argc);
	text = add_pointers(words, text, &at, exec->argc);
	process->arguments = strings_at;
	process->environment = at;
	add_pointers(words, text, &at, exec->envc);
	process->environment_end = at;
	add_auxiliary(words, process, start, at, block_at);
	words_at = align_down(block_at - words->count * 8, 16);

	if (copy_to_user(strings_at, exec->strings, strings) != 0 ||
	    copy_to_user(block_at, block, sizeof(block)) != 0 ||
	    copy_to_user(words_at, words->word, words->count * 8) != 0)
		return -ENOMEM;
	return (int64_t)words_at;
}

int64_t exec_build_stack(struct process *process, const struct program_start *start)
{
	const struct pisces_exec *exec = start->exec;
	uint64_t count = (uint64_t)exec->argc + exec->envc + 3 + AUXILIARY_WORDS;
	struct words words = { .count = 0 };
	user_addr_t top;
	int64_t result = map_stack(process, start->image->executable_stack, &top);

	if (result < 0)
		return result;
	/* As elsewhere: at least three quarters of it are for the program to use. */
	if ((uint64_t)result / 4 < exec->size + count * 8)
		return -E2BIG;
	process->stack_top = top;
	words.word = heap_alloc(count * 8);
	if (!words.word)
		return -ENOMEM;
	result = fill(process, start, top, &words);
	heap_free(words.word);
	return result;
}
