/*
 * oom_tell.c - see oom_tell.h.
 */
#include "oom_tell.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LOWERED "8388608" /* more than a stand-in uses: v1 refuses less */
#define TOUCHED (32u << 20)
#define PAGE 4096

static int open_in(const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? -1 : open(path, O_WRONLY | O_CLOEXEC);
}

void oom_teller_open(const struct cgroup *g, struct oom_teller *out)
{
	const char *dir = cgroup_dir(g, "memory");
	bool v2 = cgroup_is_v2(g);

	*out = OOM_TELLER_NONE;
	if (!dir)
		return;
	out->limit = open_in(dir, v2 ? "memory.max" : "memory.limit_in_bytes");
	out->swap = open_in(dir, v2 ? "memory.swap.max" : "memory.swappiness"); /* without swap there is none */
}

void oom_tell(const struct oom_teller *t)
{
	volatile char *p;

	if (t->limit < 0)
		return;
	if (t->swap >= 0 && write(t->swap, "0", 1) < 0)
		log_debug("the cgroup's swap: %s", strerror(errno));
	if (write(t->limit, LOWERED, strlen(LOWERED)) < 0)
		log_debug("the cgroup's limit: %s", strerror(errno));
	else if ((p = mmap(NULL, TOUCHED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED)
		for (size_t at = 0; at < TOUCHED; at += PAGE)
			p[at] = 1;
	log_debug("the host does not know that the container ended for want of memory");
}
