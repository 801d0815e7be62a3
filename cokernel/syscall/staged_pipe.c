/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Staged I/O: pipes, of which nothing is on Linux. */
#include "fs/file_table.h"
#include "fs/pipe.h"
#include "syscall/staged.h"

#define FLAGS (OPEN_CLOSE_ON_EXEC | OPEN_NON_BLOCKING | OPEN_PACKETS)

/* What fstat(2) and its kin are about: one for both ends, without a name. */
static struct stage_node *make_node(void)
{
	const struct stage_view *view = &staged_current()->view;
	struct stage_node *node = stage_node_create(view->stage, MODE_PIPE | 0600, view->uid,
						    view->gid);

	if (node) {
		node->device = STAGE_PIPE;
		node->links = 1;
	}
	return node;
}

/* Both ends get numbers. 0 or -errno with none. */
static int add(struct open_file *reader, struct open_file *writer, bool close_on_exec, int pair[2])
{
	unsigned int limit = staged_current()->descriptor_limit;

	pair[0] = file_table_add(reader, 0, limit, close_on_exec);
	if (pair[0] < 0) {
		open_file_put(writer);
		return pair[0];
	}
	pair[1] = file_table_add(writer, 0, limit, close_on_exec);
	if (pair[1] < 0) {
		file_table_close(pair[0]);
		return pair[1];
	}
	return 0;
}

int64_t staged_pipe2(const struct syscall_args *args)
{
	struct open_file *reader, *writer;
	uint32_t flags = (uint32_t)args->a[1];
	struct stage_node *node;
	int pair[2], error;

	if (flags & ~FLAGS)
		return -EINVAL;
	node = make_node();
	if (!node)
		return -ENOMEM;
	error = pipe_create(flags, node, &reader, &writer);
	stage_node_put(node);
	if (!error)
		error = add(reader, writer, flags & OPEN_CLOSE_ON_EXEC, pair);
	if (error || copy_to_user(args->a[0], pair, sizeof(pair)) == 0)
		return error;
	file_table_close(pair[0]);
	file_table_close(pair[1]);
	return -EFAULT;
}

int64_t staged_pipe(const struct syscall_args *args)
{
	return staged_call(staged_pipe2, args->a[0], 0, 0, 0, 0);
}
