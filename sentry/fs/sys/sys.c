/*
 * sys.c - /sys: a fixed tree made at mount: processors, memory node, loopback
 * interface, transparent huge pages.  All texts are constant.
 */
#include "fs/sys/sys.h"

#include "fs/fixed.h"
#include "kernel/kernel.h"

#include <stdio.h>

#define SYSFS_MAGIC 0x62656572

/* Those that are the same everywhere.  What has no text is a directory. */
static const struct fixed_file constant[] = {
	{ .path = "devices/system/cpu/offline", .text = "\n" },
	{ .path = "devices/system/cpu/kernel_max", .text = "8191\n" },
	{ .path = "devices/system/node/online", .text = "0\n" },
	{ .path = "devices/system/node/possible", .text = "0\n" },
	{ .path = "kernel/mm/transparent_hugepage/enabled", .text = "always [madvise] never\n" },
	{ .path = "kernel/mm/transparent_hugepage/hpage_pmd_size", .text = "2097152\n" },
	{ .path = "class/net/lo/address", .text = "00:00:00:00:00:00\n" },
	{ .path = "class/net/lo/mtu", .text = "65536\n" },
	{ .path = "class/net/lo/operstate", .text = "unknown\n" },
	{ .path = "class/net/lo/type", .text = "772\n" },
	{ .path = "class/net/lo/ifindex", .text = "1\n" },
	{ .path = "class/net/lo/flags", .text = "0x9\n" },
	{ .path = "fs/cgroup" },
	{ .path = "block" },
	{ .path = "bus" },
	{ .path = "dev" },
	{ .path = "firmware" },
	{ .path = "module" },
	{ .path = "power" },
};

static bool add(struct dentry *root, const char *path, const char *text)
{
	return fixed_add(root, &(struct fixed_file){ .path = path, .text = text });
}

static bool add_topology(struct dentry *root, unsigned cpu)
{
	char id[16], path[64];

	snprintf(id, sizeof(id), "%u\n", cpu);
	snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/topology/core_id", cpu);
	if (!add(root, path, id))
		return false;
	snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/topology/physical_package_id", cpu);
	if (!add(root, path, "0\n"))
		return false;
	snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/topology/thread_siblings_list", cpu);
	return add(root, path, id);
}

static bool fill(struct kernel *k, struct dentry *root)
{
	static const char *const all_cpus[] = { "devices/system/cpu/online", "devices/system/cpu/possible", "devices/system/cpu/present",
		"devices/system/node/node0/cpulist" };
	char range[32];
	bool ok = true;

	snprintf(range, sizeof(range), k->cpus > 1 ? "0-%u\n" : "0\n", k->cpus - 1);
	for (size_t i = 0; ok && i < sizeof(all_cpus) / sizeof(all_cpus[0]); i++)
		ok = add(root, all_cpus[i], range);
	for (unsigned i = 0; ok && i < k->cpus; i++)
		ok = add_topology(root, i);
	for (size_t i = 0; ok && i < sizeof(constant) / sizeof(constant[0]); i++)
		ok = fixed_add(root, &constant[i]);
	return ok;
}

static const struct fixed_fs sys_fs = {
	.type = { .name = "sysfs", .mount = fixed_mount, .user_mountable = true },
	.magic = SYSFS_MAGIC,
	.file_size = 4096,
	.fill = fill,
};

int sys_register(struct kernel *k)
{
	return vfs_register(k->vfs, &sys_fs.type);
}
