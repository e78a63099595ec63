/*
 * sys.c - /sys: a fixed tree made at mount: processors (cpu.c), memory node, transparent huge
 * pages, and the interfaces that the mounter's network namespace has then, or that come before
 * programs run.  All texts are constant.
 */
#include "fs/sys/sys.h"

#include "fs/sys/internal.h"
#include "kernel/kernel.h"
#include "kernel/ns.h"
#include "kernel/task.h"
#include "net/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYSFS_MAGIC 0x62656572

/* Those that are the same everywhere.  What has no text is a directory. */
static const struct fixed_file constant[] = {
	{ .path = "devices/system/cpu/offline", .text = "\n" },
	{ .path = "devices/system/cpu/kernel_max", .text = "8191\n" },
	{ .path = "devices/system/node/online", .text = "0\n" },
	{ .path = "devices/system/node/possible", .text = "0\n" },
	{ .path = "devices/system/node/has_cpu", .text = "0\n" },
	{ .path = "devices/system/node/node0/distance", .text = "10\n" },
	{ .path = "kernel/mm/transparent_hugepage/enabled", .text = "always [madvise] never\n" },
	{ .path = "kernel/mm/transparent_hugepage/hpage_pmd_size", .text = "2097152\n" },
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

/* cpu0, cpu1 ... */
static bool add_processors(struct dentry *root, unsigned n)
{
	bool ok = true;
	char path[48];

	for (unsigned cpu = 0; ok && cpu < n; cpu++) {
		snprintf(path, sizeof(path), "devices/system/cpu/cpu%u", cpu);
		ok = fixed_add(root, &(struct fixed_file){ .path = path, .dir = &sys_cpu_dir, .arg = cpu });
	}
	return ok;
}

/* One file of an interface's directory. */
static bool add_net(struct dentry *root, const struct net_listed *d, const char *name, const char *text)
{
	char path[64], line[64];

	snprintf(path, sizeof(path), "class/net/%s/%s", d->name, name);
	snprintf(line, sizeof(line), "%s\n", text);
	return add(root, path, line);
}

static bool add_net_number(struct dentry *root, const struct net_listed *d, const char *name, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return add_net(root, d, name, text);
}

static bool add_interface(struct dentry *root, const struct net_listed *d)
{
	char mac[32], flags[16];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", d->mac[0], d->mac[1], d->mac[2], d->mac[3], d->mac[4], d->mac[5]);
	snprintf(flags, sizeof(flags), "0x%x", d->flags);
	return add_net(root, d, "address", mac) && add_net(root, d, "operstate", d->operstate) &&
	       add_net_number(root, d, "mtu", d->mtu) && add_net_number(root, d, "ifindex", (unsigned)d->index) &&
	       add_net_number(root, d, "iflink", (unsigned)d->link_index) &&
	       add_net_number(root, d, "tx_queue_len", d->txqlen) && add_net(root, d, "flags", flags) &&
	       add_net_number(root, d, "type", d->type);
}

static struct dentry *child(struct dentry *dir, const char *name)
{
	struct dentry *d = dir ? dcache_get(dir, &(struct qstr){ name, (uint32_t)strlen(name) }) : NULL;

	if (d)
		dentry_put(d); /* pinned: it was made at the mount */
	return d;
}

static bool is_there(struct dentry *root, const struct net_listed *d)
{
	return child(child(child(root, "class"), "net"), d->name);
}

/* Copied first: nothing is allocated under the interfaces' lock. */
static bool add_interfaces(struct kernel *k, struct dentry *root)
{
	struct task *t = task_current();
	struct net_listed *all;
	unsigned n;
	bool ok = !net_list(t && t->ns ? t->ns->net : k->net, &all, &n);

	if (!ok)
		return false;
	for (unsigned i = 0; ok && i < n; i++)
		ok = is_there(root, &all[i]) || add_interface(root, &all[i]);
	free(all);
	return ok;
}

static bool fill(struct kernel *k, struct dentry *root)
{
	static const char *const all_cpus[] = { "devices/system/cpu/online", "devices/system/cpu/possible", "devices/system/cpu/present",
		"devices/system/node/node0/cpulist" };
	char range[32], all[CPU_MASK_MAX];
	bool ok = true;

	sys_put_mask(all, 0, k->cpus - 1, k->cpus);
	sys_put_range(range, k->cpus);
	for (size_t i = 0; ok && i < sizeof(all_cpus) / sizeof(all_cpus[0]); i++)
		ok = add(root, all_cpus[i], range);
	ok = ok && add(root, "devices/system/node/node0/cpumap", all);
	ok = ok && add_processors(root, k->cpus);
	for (size_t i = 0; ok && i < sizeof(constant) / sizeof(constant[0]); i++)
		ok = fixed_add(root, &constant[i]);
	if (ok)
		child(child(root, "fs"), "cgroup")->inode->iflags |= INODE_EMPTY;
	return ok && add_interfaces(k, root);
}

static const struct fixed_fs sys_fs = {
	.type = { .name = "sysfs", .mount = fixed_mount, .user_mountable = true },
	.magic = SYSFS_MAGIC,
	.file_size = 4096,
	.fill = fill,
};

int sys_add_interfaces(struct kernel *k, struct dentry *root)
{
	if (root->sb->type != &sys_fs.type || root->sb->root != root)
		return 0;
	return add_interfaces(k, root) ? 0 : -ENOMEM;
}

int sys_register(struct kernel *k)
{
	return vfs_register(k->vfs, &sys_fs.type);
}
