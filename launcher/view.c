/*
 * view.c - see view.h.  The mounting is done by a short-lived child: it leaves
 * the launcher's namespaces for the container's.
 */
#include "view.h"

#include "view_served.h"

#include "libipc/confine_internal.h"
#include "libipc/fd.h"
#include "libipc/holder.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* A detached copy of the tree, with what is mounted below it. */
static int clone_tree(const struct plan_tree *t, bool readonly)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | (readonly ? MOUNT_ATTR_RDONLY : 0), .propagation = MS_PRIVATE };
	_cleanup_close_ int fd = open_tree(t->fd ? t->fd : AT_FDCWD, t->fd ? t->holder ? HOLDER_NAME : "" : t->path,
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | (t->fd ? AT_EMPTY_PATH : 0));

	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a)) < 0)
		return -1;
	return TAKE_FD(fd);
}

static bool is_file(const struct plan *plan, const struct boot_mount *m)
{
	const struct plan_tree *t = &plan->trees.v[m->tree];
	struct stat st;

	return !strcmp(m->type.p, "gofer") && (t->holder || (!(t->fd ? fstat(t->fd, &st) : stat(t->path, &st)) && !S_ISDIR(st.st_mode)));
}

/* The names that the file system at path must have: those where others are mounted. */
static void make_places(const struct plan *plan, const char *path, int tree)
{
	size_t len = strlen(path);

	for (size_t i = 1; i < plan->mounts.n; i++) {
		const struct boot_mount *m = &plan->mounts.v[i];
		const char *name = m->destination.p + len + 1;

		if (m->destination.len <= len + 1 || memcmp(m->destination.p, path, len) || name[-1] != '/' || strchr(name, '/'))
			continue;
		if (is_file(plan, m))
			mknodat(tree, name, S_IFREG | 0644, 0);
		else
			mkdirat(tree, name, 0755);
	}
}

/* In place of a file system in the sandbox's memory. */
static int empty_tree(const struct plan *plan, const struct boot_mount *m)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), tree = -1;

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4096", 0) < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "16", 0) < 0 ||
		fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ||
		(tree = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)) < 0)
		return -1;
	make_places(plan, m->destination.p, tree);
	/* the first terminal, by which `ps` and its like name it; it cannot be opened here */
	if (!strcmp(m->type.p, "devpts") && plan->spec.process.terminal)
		mknodat(tree, "0", S_IFCHR | 0620, makedev(136, 0));
	return mount_setattr(tree, "", AT_EMPTY_PATH, &a, sizeof(a)) < 0 ? -1 : TAKE_FD(tree);
}

/* What controld serves; where that cannot be, nothing. */
static int served_or_empty_tree(const struct plan *plan, const struct boot_mount *m, const char *tree, struct view_server *s)
{
	int fd = -1;
	_cleanup_err_ struct err *e = view_serve(s, tree, &fd);

	if (e)
		log_info("the container's %s is not shown to processes that join its mount namespace: %s", m->destination.p, err_text(e));
	return e ? empty_tree(plan, m) : fd;
}

static int tree_of(const struct plan *plan, const struct boot_mount *m, struct view_server *s)
{
	const struct plan_tree *t = &plan->trees.v[m->tree];

	if (!strcmp(m->type.p, "proc") && !strcmp(m->destination.p, "/proc"))
		return served_or_empty_tree(plan, m, "", s);
	if (!strcmp(m->type.p, "tmpfs"))
		return served_or_empty_tree(plan, m, m->destination.p, s);
	if (strcmp(m->type.p, "gofer"))
		return empty_tree(plan, m);
	return clone_tree(t, t->readonly || (m->flags & MS_RDONLY));
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

static struct err *enter(int namespace)
{
	return setns(namespace, CLONE_NEWNS) < 0 ? err_new(errno, "joining the mount namespace") : NULL;
}

static struct err *show(const struct plan *plan, int namespace, int *trees)
{
	int root = trees[0];
	struct err *e;

	if ((e = enter(namespace)))
		return e;
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

static struct err *gather_and_show(const struct plan *plan, const struct state_dir *dir, int namespace, struct pool *p)
{
	_cleanup_view_server_ struct view_server s = { .dir = dir, .ids = &plan->ids, .pool = p };
	int *trees = pool_array(p, plan->mounts.n, sizeof(*trees));

	for (size_t i = 0; i < plan->mounts.n; i++) {
		if ((trees[i] = tree_of(plan, &plan->mounts.v[i], &s)) < 0 && i == 0)
			return err_new(errno, "%s", plan->trees.v[0].path);
	}
	return show(plan, namespace, trees);
}

/* ids NULL: they are not known; what has owners that matter is left as it is. */
static int served_again(struct view_server *s, const char *place)
{
	const char *tree = strcmp(place, "/proc") ? place : "";
	int fd = -1;
	_cleanup_err_ struct err *e = *tree && !s->ids ? err_new(0, "it is not known whose ids it has") : view_serve(s, tree, &fd);

	if (e)
		log_info("the container's %s is no longer shown to processes that join its mount namespace: %s", place, err_text(e));
	return fd;
}

/* Over those of the one that has gone.  What they are is seen there, and made here. */
static struct err *show_again(const struct state_dir *dir, const struct id_maps *ids, int namespace, struct pool *p)
{
	_cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	_cleanup_view_server_ struct view_server s = { .dir = dir, .ids = ids, .pool = p };
	struct view_places places = { 0 };
	struct err *e;
	int *trees;

	if ((e = enter(namespace)) || (e = view_served_places(proc, p, &places)) || (e = enter(home)))
		return e;
	trees = pool_array(p, places.n, sizeof(*trees));
	for (size_t i = 0; i < places.n; i++)
		trees[i] = served_again(&s, places.v[i]);
	if ((e = enter(namespace)))
		return e;
	for (size_t i = 0; i < places.n; i++) {
		if (trees[i] >= 0 && attach_tree(AT_FDCWD, places.v[i], trees[i]) < 0)
			log_info("view: %s: %s", places.v[i], strerror(errno));
	}
	return NULL;
}

static int namespace_of(const struct proc_id *who, struct pool *p)
{
	_cleanup_close_ int fd = open(pool_printf(p, "/proc/%llu/ns/mnt", (unsigned long long)who->pid), O_RDONLY | O_CLOEXEC), alive = -1;

	/* still that process: then it was when we looked */
	if (fd < 0 || (alive = proc_open(who)) < 0)
		return -1;
	return TAKE_FD(fd);
}

/* A child of ours goes there. */
static void in_child(const struct plan *plan, const struct id_maps *ids, const struct state_dir *dir, const struct proc_id *who, struct pool *p)
{
	_cleanup_close_ int namespace = namespace_of(who, p);
	pid_t pid = namespace < 0 ? -1 : fork();

	if (pid == 0) {
		_cleanup_err_ struct err *e = plan ? gather_and_show(plan, dir, namespace, p) : show_again(dir, ids, namespace, p);

		if (e)
			log_info("the container's files are not shown to processes that join its mount namespace: %s", err_text(e));
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void view_show(const struct plan *plan, const struct state_dir *dir, const struct proc_id *who, struct pool *p)
{
	in_child(plan, &plan->ids, dir, who, p);
}

void view_show_again(const struct state_dir *dir, const struct proc_id *who, const struct id_maps *ids, struct pool *p)
{
	in_child(NULL, ids, dir, who, p);
}

struct err *view_enter_empty(void)
{
	return unshare(CLONE_NEWNS) < 0 ? err_new(errno, "a mount namespace") : confine_root(NULL, false);
}
