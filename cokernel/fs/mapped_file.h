/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of Linux that tasks of the enclave map shared. All tasks of a user that map one have
 * its pages in common, as an object: filled by the proxies when it is mapped, and what
 * was written goes back to the file by a proxy at msync(2), fsync(2), munmap(2) and the end
 * of the program. Only pages that were written do, and nothing behind the end of the file.
 *
 * A file is known by its device and inode, to one user, while a task maps it. Each task that
 * does has a descriptor of its own for it, a copy of the one that was mapped, at a number
 * out of the program's way.
 *
 * All of these are about the running process, from a thread that may sleep; where it maps
 * no such file they do nothing, at no cost.
 */
#ifndef CK_FS_MAPPED_FILE_H
#define CK_FS_MAPPED_FILE_H

#include "lib/types.h"

struct process;

/*
 * Maps SIZE bytes of the regular file FD from OFFSET on, shared. FLAGS of aspace_map(). The
 * address, or -errno as mmap(2); -ENODEV if FD is not a regular file.
 */
int64_t mapped_file_map(int fd, user_addr_t address, uint64_t size, uint64_t offset,
			unsigned int prot, unsigned int flags);

/*
 * Around what may unmap [start, start + size): true if a file is mapped there; then behind
 * it mapped_file_unmapped(), which writes back and forgets what is not mapped any more.
 */
bool mapped_file_in(user_addr_t start, uint64_t size);
void mapped_file_unmapped(void);

/* A mapping has grown: what the file has of [start, start + size) is read. */
void mapped_file_grown(user_addr_t start, uint64_t size);

/* msync(2) of what is mapped in the range; TO_DISK: MS_SYNC. 0 or -errno. */
int mapped_file_sync(user_addr_t start, uint64_t size, bool to_disk);

/* The same of all that is written to file FD, for fsync(2); and of all files, for sync(2). */
int mapped_file_sync_fd(int fd);
void mapped_file_sync_all(void);

/* ---- mapped_call.c: calls of the program on files that it has mapped, too ---- */

#define MAPPED_POSITION UINT64_MAX /* where the descriptor is */
#define MAPPED_ALL UINT64_MAX

/* SIZE bytes at OFFSET of FD are about to be read: written back before. */
void mapped_file_before_read(int fd, uint64_t offset, uint64_t size);

/* BYTES (if that is more than 0) at OFFSET of FD were written: those who map it see them. */
void mapped_file_after_write(int fd, uint64_t offset, int64_t bytes);

/* Some file may have another size now. */
void mapped_file_resized(void);

/* ---- */

/* Is FD one of ours? And the lowest of ours from FIRST on, or -1. */
bool mapped_file_keeps(uint32_t fd);
int64_t mapped_file_next_kept(uint32_t first);

/*
 * The program takes record locks (fcntl(2)): Linux drops those on a file with each
 * descriptor of it that is closed, so ours stay open until the end.
 */
void mapped_file_keep_locks(void);

/* By the last thread to leave PROCESS: writes back. What fails is said. */
void mapped_files_end(struct process *process);

#endif
