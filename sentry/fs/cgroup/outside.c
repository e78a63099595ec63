/*
 * outside.c - a container's control group as an operator reads and changes it (read-control, write-control).
 * Event thread; no locks held.
 */
#include "fs/cgroup/cgroup.h"

#include "kernel/oom.h"
#include "kernel/task_table.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct cgroup_file *find(const char *name)
{
	for (size_t i = 0; i < cgroup_n_files; i++) {
		if (!strcmp(cgroup_files[i].name, name) && !cgroup_files[i].blind)
			return &cgroup_files[i];
	}
	return NULL;
}

int cgroup_read(struct task *t, const char *name, char **text, size_t *n)
{
	const struct cgroup_file *f = find(name);
	FILE *out = f ? open_memstream(text, n) : NULL;

	if (!out)
		return f ? -ENOMEM : -ENOENT;
	if (f->show)
		f->show(out, t, t->tg->quota->cgroup);
	else
		fputs(f->text, out);
	return fclose(out) ? -ENOMEM : 0;
}

/* --- setting ---------------------------------------------------------------------------- */

/* A number with a kernel's suffixes, or "max": 0. */
static bool read_limit(const char *value, uint64_t *out)
{
	static const char suffixes[] = "KMG";
	unsigned shift = 0;
	const char *at;
	char *end;

	if (!strcmp(value, "max")) {
		*out = 0;
		return true;
	}
	if (*value < '0' || *value > '9')
		return false;
	errno = 0;
	*out = strtoull(value, &end, 10);
	if (*end && (at = strchr(suffixes, *end & ~0x20))) {
		shift = 10 * (unsigned)(at - suffixes + 1);
		end++;
	}
	if (errno || *end || !*out || *out > UINT64_MAX >> shift)
		return false;
	*out <<= shift;
	return true;
}

static int set_memory_max(struct task *t, const char *value)
{
	uint64_t limit;

	if (!read_limit(value, &limit))
		return -EINVAL;
	return oom_set_limit(oom_domain_of(t->tg), limit ? limit & ~UINT64_C(4095) : UINT64_MAX);
}

static int set_pids_max(struct task *t, const char *value)
{
	uint64_t max;

	if (!read_limit(value, &max))
		return -EINVAL;
	cgroup_set_max_tasks(t->tg->quota->cgroup, max ? max : UINT_MAX);
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct task *t, const char *value);
} settable[] = { { "memory.max", set_memory_max }, { "pids.max", set_pids_max } };

int cgroup_write(struct task *t, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(settable) / sizeof(settable[0]); i++) {
		if (!strcmp(settable[i].name, name))
			return settable[i].set(t, value);
	}
	return find(name) ? -EACCES : -ENOENT;
}
