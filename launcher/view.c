/*
 * view.c - see view.h.  The mounting is done by a short-lived child: it leaves
 * the launcher's namespaces for the container's.
 */
#include "view.h"

#include "libipc/confine_internal.h"
#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A detached copy of what lies at path, with what is mounted below it. */
static int clone_tree(const char *path, bool readonly)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | (readonly ? MOUNT_ATTR_RDONLY : 0), .propagation = MS_PRIVATE };
	_cleanup_close_ int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a)) < 0)
		return -1;
	return TAKE_FD(fd);
}

/* In place of a file system in the sandbox's memory. */
static int empty_tree(void)
{
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4096", 0) < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "1", 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

static int tree_of(const struct plan *plan, const struct boot_mount *m)
{
	const struct plan_tree *t = &plan->trees.v[m->tree];

	if (strcmp(m->type.p, "gofer"))
		return empty_tree();
	return clone_tree(t->path, t->readonly || (m->flags & MS_RDONLY));
}

/* The place below root that the container knows as path, whatever links it has put on the way. */
static int place(int root, const char *path)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int attach_tree(int root, const char *path, int tree)
{
	_cleanup_close_ int at = place(root, path);

	return at < 0 ? -1 : move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static struct err *show(const struct plan *plan, int namespace, int *trees)
{
	int root = trees[0];

	if (setns(namespace, CLONE_NEWNS) < 0)
		return err_new(errno, "joining the mount namespace");
	if (move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_new(errno, "the root");
	for (size_t i = 1; i < plan->mounts.n; i++) {
		const char *path = plan->mounts.v[i].destination.p;

		/* it has none where the container has only made one in memory */
		if (trees[i] < 0 || attach_tree(root, path, trees[i]) < 0)
			log_debug("view: %s: %s", path, strerror(errno));
	}
	return NULL;
}

static struct err *gather_and_show(const struct plan *plan, int namespace, struct pool *p)
{
	int *trees = pool_array(p, plan->mounts.n, sizeof(*trees));

	for (size_t i = 0; i < plan->mounts.n; i++) {
		if ((trees[i] = tree_of(plan, &plan->mounts.v[i])) < 0 && i == 0)
			return err_new(errno, "%s", plan->trees.v[0].path);
	}
	return show(plan, namespace, trees);
}

static int namespace_of(const struct proc_id *who, struct pool *p)
{
	_cleanup_close_ int fd = open(pool_printf(p, "/proc/%llu/ns/mnt", (unsigned long long)who->pid), O_RDONLY | O_CLOEXEC), alive = -1;

	/* still that process: then it was when we looked */
	if (fd < 0 || (alive = proc_open(who)) < 0)
		return -1;
	return TAKE_FD(fd);
}

void view_show(const struct plan *plan, const struct proc_id *who, struct pool *p)
{
	_cleanup_close_ int namespace = namespace_of(who, p);
	pid_t pid = namespace < 0 ? -1 : fork();

	if (pid == 0) {
		_cleanup_err_ struct err *e = gather_and_show(plan, namespace, p);

		if (e)
			log_info("the container's files are not shown to processes that join its mount namespace: %s", err_text(e));
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

struct err *view_enter_empty(void)
{
	return unshare(CLONE_NEWNS) < 0 ? err_new(errno, "a mount namespace") : confine_root(NULL, false);
}
