/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An ELF file comes into the address space of the running process. */
#include "arch/user.h"
#include "fs/memory_file.h"
#include "fs/page_cache.h"
#include "lib/errno.h"
#include "mm/aspace.h"
#include "task/exec.h"
#include "task/process.h"
#include "task/thread.h"

static int64_t source_read(void *context, uint64_t offset, void *to, uint64_t size)
{
	const struct exec_loading *loading = context;

	return program_file_read(&loading->file, to, size, offset);
}

static int64_t source_read_user(void *context, uint64_t offset, user_addr_t to, uint64_t size)
{
	const struct exec_loading *loading = context;

	return program_file_read_user(&loading->file, to, size, offset);
}

static int memory_begin(void *context)
{
	struct exec_loading *loading = context;

	return loading->begin ? loading->begin(loading) : 0;
}

static int64_t memory_reserve(void *context, user_addr_t at, uint64_t size)
{
	const struct exec_loading *loading = context;
	struct aspace *aspace = process_current()->aspace;
	user_addr_t hint = loading->is_program ? aspace_program_base(aspace) : 0;

	return aspace_map(aspace, at ? at : hint, size, 0, at ? ASPACE_FIXED_NOREPLACE : 0);
}

static int memory_map(void *context, user_addr_t at, uint64_t size)
{
	int64_t result = aspace_map(process_current()->aspace, at, size,
				    ASPACE_READ | ASPACE_WRITE, ASPACE_FIXED | ASPACE_POPULATE);

	(void)context;
	return result < 0 ? (int)result : 0;
}

/* Shared with other tasks that run it; what follows the data in its last page is not the file's. */
static int memory_map_file(void *context, user_addr_t at, uint64_t size, uint64_t offset,
			   uint64_t used, bool clear)
{
	const struct exec_loading *loading = context;
	unsigned int prot = ASPACE_READ | ASPACE_WRITE;
	int64_t result;

	if (loading->file.file)
		result = aspace_map_object(process_current()->aspace, at, size, prot, ASPACE_FIXED,
					   loading->file.file->object, offset);
	else
		result = page_cache_map(loading->file.fd, at, size, offset, prot, ASPACE_FIXED);
	if (result < 0)
		return (int)result;
	if (clear && used < size && clear_user(at + used, size - used) != 0)
		return -ENOMEM;
	return 0;
}

static int memory_protect(void *context, user_addr_t at, uint64_t size, unsigned int prot)
{
	(void)context;
	return aspace_protect(process_current()->aspace, at, size, prot);
}

int exec_load(struct exec_loading *loading, struct elf_image *image, const char **why)
{
	const struct elf_source source = {
		.read = source_read,
		.read_user = source_read_user,
		.context = loading,
	};
	const struct elf_memory memory = {
		.begin = memory_begin,
		.reserve = memory_reserve,
		.map = memory_map,
		.map_file = memory_map_file,
		.protect = memory_protect,
		.context = loading,
	};

	return elf_load(&source, &memory, image, why);
}
