/*
 * view_served.c - see view_served.h.
 */
#include "view_served.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define SOURCE "redoubt" /* by which our mounts are known */
#define ANSWER_MAX "32768" /* controld's FUSE_READ_MAX: a longer read is several */

/* --- serving ---------------------------------------------------------------------------- */

/* A FUSE file system for whoever looks with our ids; *conn is its server's end. */
static struct err *fuse_tree(struct pool *p, bool readonly, int *conn, int *tree)
{
	_cleanup_close_ int fuse = open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC), fs = fsopen("fuse", FSOPEN_CLOEXEC);
	const unsigned attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | (readonly ? MOUNT_ATTR_RDONLY : 0);
	const struct {
		const char *name, *value;
	} options[] = {
		{ "source", SOURCE }, { "fd", pool_printf(p, "%d", fuse) }, { "rootmode", "40755" }, { "user_id", pool_printf(p, "%u", geteuid()) },
		{ "group_id", pool_printf(p, "%u", getegid()) }, { "max_read", ANSWER_MAX },
	};

	if (fuse < 0)
		return err_new(errno, "/dev/fuse");
	for (size_t i = 0; fs >= 0 && i < sizeof(options) / sizeof(options[0]); i++) {
		if (fsconfig(fs, FSCONFIG_SET_STRING, options[i].name, options[i].value, 0) < 0)
			return err_new(errno, "FUSE: %s", options[i].name);
	}
	if (fs < 0 || (readonly && fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0) || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ||
		(*tree = fsmount(fs, FSMOUNT_CLOEXEC, attrs)) < 0)
		return err_new(errno, "FUSE");
	*conn = TAKE_FD(fuse);
	return NULL;
}

static struct control_id_range *ranges(const struct oci_id_mappings *m, struct pool *p)
{
	struct control_id_range *v = pool_array(p, m->n, sizeof(*v));

	for (size_t i = 0; i < m->n; i++)
		v[i] = (struct control_id_range){ m->v[i].container, m->v[i].host, m->v[i].size };
	return v;
}

static struct err *connect_once(struct view_server *s)
{
	_cleanup_close_ int sock = -1;
	struct err *e = s->rpc ? NULL : client_socket_of_living(s->dir, &sock);

	if (!s->rpc && !e && !(e = rpc_client_new(sock, &s->rpc)))
		sock = -1; /* the client's now */
	return e;
}

struct err *view_serve(struct view_server *s, const char *tree, int *out)
{
	struct control_files_serve q = { .id = msg_str(s->dir->id), .tree = msg_str(tree) };
	_cleanup_close_ int conn = -1, mount = -1;
	struct control_files_serve_reply reply;
	_cleanup_arena_ struct msg_arena a = { 0 };
	struct err *e;

	if ((e = fuse_tree(s->pool, !*tree, &conn, &mount)) || (e = connect_once(s)))
		return e;
	if (*tree) {
		q.uids = ranges(&s->ids->uids, s->pool);
		q.n_uids = (uint32_t)s->ids->uids.n;
		q.gids = ranges(&s->ids->gids, s->pool);
		q.n_gids = (uint32_t)s->ids->gids.n;
	}
	q.fuse = conn;
	if (!(e = RPC_CALL(s->rpc, control, files_serve, &q, &reply, &a, CLIENT_QUICK_MS)))
		*out = TAKE_FD(mount);
	return e;
}

void view_server_close(struct view_server *s)
{
	if (s->rpc)
		rpc_client_free(s->rpc);
	s->rpc = NULL;
}

/* --- where ------------------------------------------------------------------------------- */

/* As mountinfo writes it: \040 is a space. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

static bool is_among(const struct view_places *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++) {
		if (!strcmp(l->v[i], path))
			return true;
	}
	return false;
}

/* The mount point in a line of mountinfo, if the mount is one of ours; NULL. */
static char *ours(char *line)
{
	char *type = strstr(line, " - fuse " SOURCE " "), *at = line;

	for (int i = 0; at && i < 4; i++)
		at = (at = strchr(at, ' ')) ? at + 1 : NULL;
	if (!type || !at || at > type)
		return NULL;
	at[strcspn(at, " ")] = 0;
	unescape(at);
	return at;
}

struct err *view_served_places(int proc, struct pool *p, struct view_places *out)
{
	int fd = openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	size_t cap = 0;
	char *line = NULL, *at;

	if (!f) {
		fd_close(&fd);
		return err_new(errno, "the mounts of a view");
	}
	while (getline(&line, &cap, f) > 0) {
		/* over one that a controld served which has gone there may be another */
		if ((at = ours(line)) && !is_among(out, at))
			LIST_ADD(p, out, pool_strdup(p, at));
	}
	free(line);
	fclose(f);
	return NULL;
}
