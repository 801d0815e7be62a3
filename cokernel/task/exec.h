/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start of a program, from its file to its first instruction: the first of a process
 * (exec.c), or one that takes the place of another (exec_replace.c).
 */
#ifndef CK_TASK_EXEC_H
#define CK_TASK_EXEC_H

#include <pisces/channel.h>

#include "lib/types.h"
#include "mm/elf.h"
#include "task/program_file.h"

struct process;

struct program_start {
	/* On the heap until it begins, or does not. */
	struct pisces_exec *exec;
	struct elf_image *image;
	struct program_file interpreter; /* the image's ELF interpreter, if interpreter_open */
	bool interpreter_open;
	user_addr_t entry; /* of the interpreter if there is one */
	user_addr_t interpreter_base; /* 0: none */
	user_addr_t vdso; /* 0: none */
};

/* What one ELF file is loaded through. */
struct exec_loading {
	struct program_file file;
	bool is_program; /* its place is low, so that brk above it has room; else anywhere */
	/* As struct elf_memory's; or NULL. */
	int (*begin)(struct exec_loading *loading);
	void *argument;
};

/* elf_load() of it into the running process. */
int exec_load(struct exec_loading *loading, struct elf_image *image, const char **why);

/*
 * What PROCESS, the running one, runs from now on: PATH as it was named; EXECUTABLE, on the
 * heap or NULL, as /proc/self/exe says it.
 */
void exec_set_name(struct process *process, const char *path, char *executable);

/* Opens the ELF interpreter of its image, if that has one and it is not open; 0 or -errno. */
int exec_open_interpreter(struct program_start *start);

/*
 * The rest, when the image is loaded: its ELF interpreter, vDSO and stack; then its first
 * instruction. What cannot be done is said, and ends the process.
 */
__noreturn void exec_enter(struct process *process, struct program_start *start);

/* Says why PROCESS cannot run and ends it with exit code STATUS; WHAT is put before WHY. */
__noreturn void exec_give_up(struct process *process, struct program_start *start, int status,
			     int error, const char *what, const char *why);

/* As a shell reports that it could not run a program. */
#define STATUS_NOT_RUN 126
#define STATUS_NOT_FOUND 127

void exec_release(struct program_start *start);

/*
 * Makes the stack of PROCESS, whose address space is loaded: arguments,
 * environment, auxiliary vector, as the System V ABI says. Returns RSP or -errno.
 */
int64_t exec_build_stack(struct process *process, const struct program_start *start);

/* ---- exec_block.c: arguments, environment and path of a program, in the form of channel.h ---- */

#define EXEC_PATH_MOST 4096u /* with NUL */

/*
 * What the program gave to execve(2), as addresses in its memory; ARGV and ENVP may be 0. For
 * heap_free(). NULL and *ERROR: -EFAULT, -E2BIG (1 MiB, 65,536 strings), -ENAMETOOLONG,
 * -ENOENT for an empty path, -ENOMEM.
 */
struct pisces_exec *exec_block_copy(user_addr_t path, user_addr_t argv, user_addr_t envp,
				    int *error);

/* A new one with INTERPRETER, its ARGUMENT (or NULL) and SCRIPT in the place of argv[0]. */
struct pisces_exec *exec_block_script(const struct pisces_exec *exec, const char *interpreter,
				      const char *argument, const char *script, int *error);

/* What follows COUNT strings from TEXT on, all NUL-terminated. */
const char *exec_block_behind(const char *text, uint64_t count);

/* The path, behind arguments and environment. */
const char *exec_block_path(const struct pisces_exec *exec);

/*
 * The first line of a script at HEAD, LENGTH bytes of its beginning and a NUL behind them, cut
 * into interpreter and its one argument, or NULL. False: it is none that execve(2) would take.
 */
#define EXEC_HEAD_SIZE 256u
bool exec_parse_script(char *head, uint64_t length, char **interpreter, char **argument);

/* ---- exec_replace.c ---- */

/* execve(2). Returns only if it fails, with -errno and everything as before. */
int64_t exec_replace(user_addr_t path, user_addr_t argv, user_addr_t envp);

#endif
