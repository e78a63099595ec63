/*
 * state.c - the state directory: making, locking, listing, removing.  See state.h.
 */
#include "state.h"

#include "idmap.h"

#include "libipc/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define CREATE_TRIES 10 /* who sweeps or deletes may be quicker than us, but not each time */

/* All that a container's directory may hold. */
static const char *const files[] = { STATE_RECORD, STATE_RECORD ".tmp", STATE_SOCKET, STATE_NETWORK, STATE_USER_NETWORK, "lock" };

const char *state_default_root(struct pool *p)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	/* the root of a user namespace (rootless podman's) has no place in the host's /run */
	if (geteuid() == 0 && !(runtime && idmap_in_user_ns()))
		return "/run/redoubt";
	if (runtime && runtime[0] == '/')
		return pool_printf(p, "%s/redoubt", runtime);
	return pool_printf(p, "/tmp/redoubt-%u", geteuid());
}

struct err *state_check_id(const char *id)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.-";
	size_t len = strlen(id);

	if (!len || len > 255 || id[0] == '.' || id[0] == '-' || strspn(id, allowed) != len)
		return err_new(0, "container id '%.64s': must be 1 to 255 of letters, digits and _+.-, beginning with none of .-", id);
	return NULL;
}

/* mkdir -p, each with mode 0700. */
static struct err *make_root(const char *root)
{
	_cleanup_free_ char *path = strdup(root);

	if (!path)
		return err_new(ENOMEM, "state directory");
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return err_new(errno, "state directory '%s'", path);
		*p = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_new(errno, "state directory '%s'", path);
	return NULL;
}

/* A directory that others may write could be swapped under us. */
static struct err *open_owned(int at, const char *name, const char *path, int *out)
{
	_cleanup_close_ int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (at == AT_FDCWD ? 0 : O_NOFOLLOW));
	struct stat st;

	if (fd < 0)
		return err_new(errno, "%s", path);
	if (fstat(fd, &st) < 0)
		return err_new(errno, "%s", path);
	if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 0022 && !(st.st_mode & S_ISVTX)))
		return err_new(EPERM, "%s: belongs to another user or may be written by others", path);
	*out = TAKE_FD(fd);
	return NULL;
}

static struct err *open_root(const char *root, const char *id, struct pool *p, struct state_dir *out)
{
	*out = (struct state_dir)STATE_DIR_NONE;
	out->id = pool_strdup(p, id);
	out->path = pool_printf(p, "%s/%s", root, id);
	return open_owned(AT_FDCWD, root, root, &out->root_fd);
}

bool state_has_record(const struct state_dir *d)
{
	return !faccessat(d->fd, STATE_RECORD, F_OK, AT_SYMLINK_NOFOLLOW) || errno != ENOENT;
}

/* Another maker holds the lock for long, `list` for a moment. */
static struct err *lock_soon(struct state_dir *d)
{
	const struct timespec a_little = { .tv_nsec = 2000000 };
	struct err *e = state_lock(d, false);

	for (int i = 0; e && err_errno(e) == EBUSY && i < 5; i++) {
		err_free(e);
		nanosleep(&a_little, NULL);
		e = state_lock(d, false);
	}
	return e;
}

bool state_was_removed(const struct state_dir *d)
{
	struct stat st;

	return fstat(d->fd, &st) < 0 || !st.st_nlink;
}

/* Ours once we hold its lock and it has no record.  A directory without one was left by
 * a maker that was killed before it had begun, or by one who deletes that was killed when
 * the record was gone, but not the socket: it is taken over.  ESTALE: it was removed
 * while we took it. */
static struct err *take_directory(struct state_dir *d)
{
	struct err *e = open_owned(d->root_fd, d->id, d->path, &d->fd);

	if (!e && !state_has_record(d))
		e = lock_soon(d);
	if (e && err_errno(e) != ENOENT && err_errno(e) != EBUSY)
		return e;
	if (e ? err_errno(e) == ENOENT : state_was_removed(d)) {
		err_free(e);
		return err_new(ESTALE, "%s: removed again and again", d->path);
	}
	if (e || state_has_record(d)) {
		err_free(e);
		return err_new(EEXIST, "container id '%s' is taken", d->id);
	}
	if (unlinkat(d->fd, STATE_SOCKET, 0) < 0 && errno != ENOENT)
		return err_new(errno, "%s/%s", d->path, STATE_SOCKET);
	return NULL;
}

struct err *state_create(const char *root, const char *id, struct pool *p, struct state_dir *out)
{
	struct err *e = state_check_id(id);
	int tries = 0;

	if (e || (e = make_root(root)) || (e = open_root(root, id, p, out)))
		return e;
	do {
		err_free(e);
		fd_close(&out->lock);
		fd_close(&out->fd);
		if (mkdirat(out->root_fd, id, 0700) < 0 && errno != EEXIST)
			e = err_new(errno, "%s", out->path);
		else
			e = take_directory(out);
	} while (e && err_errno(e) == ESTALE && ++tries < CREATE_TRIES);
	if (e)
		state_close(out);
	return e;
}

struct err *state_open(const char *root, const char *id, struct pool *p, struct state_dir *out)
{
	struct err *e = state_check_id(id);

	if (e)
		return e;
	if (!(e = open_root(root, id, p, out)))
		e = open_owned(out->root_fd, id, out->path, &out->fd);
	if (!e)
		return NULL;
	state_close(out);
	if (err_errno(e) != ENOENT)
		return e;
	err_free(e);
	return err_new(ENOENT, "container '%s' does not exist", id);
}

struct err *state_lock(struct state_dir *d, bool wait)
{
	_cleanup_close_ int fd = openat(d->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_new(errno, "%s/lock", d->path);
	while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
		if (errno == EWOULDBLOCK)
			return err_new(EBUSY, "container '%s' is being made, held or deleted by another command", d->id);
		if (errno != EINTR)
			return err_new(errno, "%s/lock", d->path);
	}
	d->lock = TAKE_FD(fd);
	return NULL;
}

bool state_being_made(const struct state_dir *d)
{
	_cleanup_close_ int fd = openat(d->fd, "lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

void state_close(struct state_dir *d)
{
	fd_close(&d->lock);
	fd_close(&d->fd);
	fd_close(&d->root_fd);
	fd_close(&d->sandbox_fd);
}

struct err *state_enter_sandbox(struct state_dir *d, const char *sandbox)
{
	struct err *e;

	if (!sandbox)
		return NULL;
	if ((e = state_check_id(sandbox)))
		return e;
	fd_close(&d->sandbox_fd);
	e = open_owned(d->root_fd, sandbox, sandbox, &d->sandbox_fd);
	if (e && err_errno(e) == ENOENT) {
		err_free(e);
		e = NULL;
	}
	return e;
}

struct err *state_remove(struct state_dir *d)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (unlinkat(d->fd, files[i], 0) < 0 && errno != ENOENT)
			return err_new(errno, "%s/%s", d->path, files[i]);
	}
	if (unlinkat(d->root_fd, d->id, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_new(errno, "%s", d->path);
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct err *state_list(const char *root, struct pool *p, struct state_ids *out)
{
	DIR *dir = opendir(root);
	struct dirent *d;

	if (!dir)
		return errno == ENOENT ? NULL : err_new(errno, "%s", root);
	while ((d = readdir(dir))) {
		struct err *e = state_check_id(d->d_name);

		if (e)
			err_free(e);
		else
			LIST_ADD(p, out, pool_strdup(p, d->d_name));
	}
	closedir(dir);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_name);
	return NULL;
}
