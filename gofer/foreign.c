/*
 * foreign.c - what of a tree is not served.
 *
 * A gofer that runs as root and exports the host's "/" would otherwise let a
 * fallen sentry write /proc/sys/kernel/core_pattern and so leave its sandbox.
 * The directory that such a file system is mounted on can be walked to (the
 * sentry mounts its own there), but nothing is done in it.  A tree that is one
 * itself was exported by name and is served.
 */
#include "foreign.h"

#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

/* not in <linux/magic.h> */
#define CONFIGFS_SUPER_MAGIC 0x62656570
#define FUSECTL_SUPER_MAGIC 0x65735543
#define NFSD_SUPER_MAGIC 0x6e667364
#define RPC_PIPEFS_SUPER_MAGIC 0x67596969

static const uint64_t foreign[] = {
	BINDERFS_SUPER_MAGIC,
	BINFMTFS_MAGIC,
	BPF_FS_MAGIC,
	CGROUP2_SUPER_MAGIC,
	CGROUP_SUPER_MAGIC,
	CONFIGFS_SUPER_MAGIC,
	DEBUGFS_MAGIC,
	EFIVARFS_MAGIC,
	FUSECTL_SUPER_MAGIC,
	NFSD_SUPER_MAGIC,
	NSFS_MAGIC,
	PROC_SUPER_MAGIC,
	PSTOREFS_MAGIC,
	RDTGROUP_SUPER_MAGIC,
	RPC_PIPEFS_SUPER_MAGIC,
	SECURITYFS_MAGIC,
	SELINUX_MAGIC,
	SMACK_MAGIC,
	SYSFS_MAGIC,
	TRACEFS_MAGIC,
	XENFS_SUPER_MAGIC,
};

/* Of a statfs type: proc, sysfs, cgroup and their like. */
static bool foreign_type(uint64_t type)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		if (foreign[i] == type)
			return true;
	}
	return false;
}

int foreign_check(struct foreign_cache *k, int dir, const char *name, uint64_t dev)
{
	struct statfs fs;
	int fd, rc;

	for (unsigned i = 0; i < FOREIGN_KNOWN; i++) {
		if (k->entries[i].known && k->entries[i].dev == dev)
			return k->entries[i].foreign;
	}
	fd = open_beneath(dir, name, O_PATH, 0);
	if (fd < 0)
		return fd;
	rc = fstatfs(fd, &fs) ? -errno : foreign_type((uint64_t)fs.f_type);
	close(fd);
	if (rc >= 0) {
		k->entries[k->next].dev = dev;
		k->entries[k->next].known = true;
		k->entries[k->next].foreign = rc;
		k->next = (k->next + 1) % FOREIGN_KNOWN;
	}
	return rc;
}
