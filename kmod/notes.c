// SPDX-License-Identifier: GPL-2.0-or-later
/* Notes on cpusets of cgroup v1. */

#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "notes.h"

/* Cpusets that one enclave may have noted: a job has a handful. */
#define NOTES_MAX 512u

struct note {
	struct list_head link; /* by id */
	struct pisces_cpuset_note note; /* cpus: not taken yet */
	u64 taken[PISCES_CPU_WORDS];
};

static LIST_HEAD(notes);
static DEFINE_MUTEX(notes_mutex);
static u32 notes_last_id;

int notes_add(u32 enclave, const struct pisces_cpuset_note *request)
{
	unsigned int count = 0;
	struct note *note;
	int ret = 0;

	if (request->id || request->enclave || request->path[0] != '/' ||
	    strnlen(request->path, sizeof(request->path)) == sizeof(request->path) ||
	    !memchr_inv(request->cpus, 0, sizeof(request->cpus)))
		return -EINVAL;
	note = kzalloc(sizeof(*note), GFP_KERNEL);
	if (!note)
		return -ENOMEM;
	note->note = *request;
	note->note.enclave = enclave;
	mutex_lock(&notes_mutex);
	note->note.id = notes_last_id + 1;
	if (!list_empty(&notes)) {
		struct note *other;

		list_for_each_entry(other, &notes, link)
			count += other->note.enclave == enclave;
	}
	if (count >= NOTES_MAX || notes_last_id == U32_MAX) {
		ret = -ENOSPC;
	} else {
		notes_last_id++;
		list_add_tail(&note->link, &notes);
		__module_get(THIS_MODULE);
	}
	mutex_unlock(&notes_mutex);
	if (ret)
		kfree(note);
	return ret;
}

/* Frees the note if nothing is left of it. notes_mutex is held. */
static void note_put(struct note *note)
{
	if (memchr_inv(note->note.cpus, 0, sizeof(note->note.cpus)) ||
	    memchr_inv(note->taken, 0, sizeof(note->taken)))
		return;
	list_del(&note->link);
	kfree(note);
	module_put(THIS_MODULE);
}

void notes_taken(u32 enclave, u32 linux_cpu)
{
	struct note *note;

	if (linux_cpu >= PISCES_MAX_CPUS)
		return;
	mutex_lock(&notes_mutex);
	list_for_each_entry(note, &notes, link) {
		u64 bit = 1ull << linux_cpu % 64;

		if (note->note.enclave != enclave || !(note->note.cpus[linux_cpu / 64] & bit))
			continue;
		note->note.cpus[linux_cpu / 64] &= ~bit;
		note->taken[linux_cpu / 64] |= bit;
	}
	mutex_unlock(&notes_mutex);
}

void notes_release(u32 enclave)
{
	struct note *note, *next;

	mutex_lock(&notes_mutex);
	list_for_each_entry_safe(note, next, &notes, link) {
		if (note->note.enclave != enclave)
			continue;
		note->note.enclave = 0;
		memset(note->note.cpus, 0, sizeof(note->note.cpus));
		note_put(note);
	}
	mutex_unlock(&notes_mutex);
}

/* Of the CPUs that were taken, those that are Linux's again; false if there is none. */
static bool note_ready(const struct note *note, u64 *cpus)
{
	unsigned int cpu;
	bool any = false;

	memset(cpus, 0, sizeof(note->taken));
	for (cpu = 0; cpu < min_t(unsigned int, nr_cpu_ids, PISCES_MAX_CPUS); cpu++)
		if (note->taken[cpu / 64] >> cpu % 64 & 1 && cpu_online(cpu)) {
			cpus[cpu / 64] |= 1ull << cpu % 64;
			any = true;
		}
	return any;
}

bool notes_wait(void)
{
	u64 cpus[PISCES_CPU_WORDS];
	struct note *note;
	bool any = false;

	mutex_lock(&notes_mutex);
	list_for_each_entry(note, &notes, link)
		any |= note_ready(note, cpus);
	mutex_unlock(&notes_mutex);
	return any;
}

int notes_next(struct pisces_cpuset_note *request)
{
	struct note *note;
	u32 after = request->id;
	int ret = -ENOENT;

	mutex_lock(&notes_mutex);
	list_for_each_entry(note, &notes, link) {
		if (note->note.id <= after || !note_ready(note, request->cpus))
			continue;
		request->id = note->note.id;
		request->enclave = note->note.enclave;
		memcpy(request->path, note->note.path, sizeof(request->path));
		ret = 0;
		break;
	}
	mutex_unlock(&notes_mutex);
	return ret;
}

int notes_done(const struct pisces_cpuset_note *request)
{
	struct note *note, *next;
	unsigned int i;
	int ret = -ENOENT;

	mutex_lock(&notes_mutex);
	list_for_each_entry_safe(note, next, &notes, link) {
		if (note->note.id != request->id)
			continue;
		for (i = 0; i < PISCES_CPU_WORDS; i++)
			note->taken[i] &= ~request->cpus[i];
		note_put(note);
		ret = 0;
		break;
	}
	mutex_unlock(&notes_mutex);
	return ret;
}
