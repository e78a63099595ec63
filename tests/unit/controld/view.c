/*
 * view.c - a container's /proc and tmpfs over FUSE, between a kernel and a sentry that
 * may each say anything.  Here both are played by the test: the kernel's side is
 * the other end of a socket pair, the sentry a served connection.
 * links: controld/view.c controld/view_change.c controld/fuse.c controld/nodes.c controld/ids.c
 */
#include "controld/fuse.h"
#include "controld/ids.h"
#include "controld/nodes.h"
#include "controld/view.h"
#include "controld/sandbox.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define INIT_SIZE offsetof(struct fuse_init_in, flags2)

/* --- the sentry --------------------------------------------------------------------- */

static struct says {
	int error;
	bool nothing;
	struct control_file_look_reply look;
	struct control_file_entry entries[3];
	uint32_t n_entries;
	struct msg_bytes content;
	char path[256]; /* what it was asked for */
	unsigned asked;
	uint64_t written;
	struct rpc_call *pending[64]; /* those that it says nothing to */
	size_t n_pending;
} says;

static bool answers(struct rpc_call *call, struct msg_str path)
{
	says.asked++;
	strcpy(says.path, path.p);
	if (says.error)
		rpc_fail(call, err_new(says.error, "no"));
	else if (says.nothing)
		says.pending[says.n_pending++] = call;
	return !says.error && !says.nothing;
}

static void on_look(struct rpc_call *call, void *request)
{
	if (answers(call, ((struct control_file_look *)request)->path))
		rpc_reply(call, &says.look);
}

static void on_list(struct rpc_call *call, void *request)
{
	const struct control_file_list_reply r = { says.entries, says.n_entries };

	if (answers(call, ((struct control_file_list *)request)->path))
		rpc_reply(call, &r);
}

static void on_read(struct rpc_call *call, void *request)
{
	const struct control_file_read_reply r = { says.content };

	if (answers(call, ((struct control_file_read *)request)->path))
		rpc_reply(call, &r);
}

/* A change: what it was asked for is kept. */
static struct asked {
	const char *what;
	char path[64], more[64];
	uint64_t mode, uid, gid, size;
	int64_t atime, mtime;
	bool flag, times;
} asked;

static bool asked_for(const char *what, struct msg_str tree, struct msg_str path, struct msg_str more, struct rpc_call *call)
{
	asked = (struct asked){ .what = what };
	ck_assert_str_eq(tree.p, "/tmp");
	snprintf(asked.path, sizeof(asked.path), "%s", path.p);
	snprintf(asked.more, sizeof(asked.more), "%s", more.p);
	return answers(call, path);
}

static void on_make(struct rpc_call *call, void *request)
{
	const struct control_file_make *q = request;
	const struct control_file_make_reply r;

	if (asked_for("make", q->tree, q->path, q->target, call)) {
		asked.mode = q->mode;
		rpc_reply(call, &r);
	}
}

static void on_remove(struct rpc_call *call, void *request)
{
	const struct control_file_remove *q = request;
	const struct control_file_remove_reply r;

	if (asked_for("remove", q->tree, q->path, msg_str(""), call)) {
		asked.flag = q->directory;
		rpc_reply(call, &r);
	}
}

static void on_rename(struct rpc_call *call, void *request)
{
	const struct control_file_rename *q = request;
	const struct control_file_rename_reply r;

	if (asked_for("rename", q->tree, q->path, q->to, call)) {
		asked.flag = q->replace;
		rpc_reply(call, &r);
	}
}

static void on_link(struct rpc_call *call, void *request)
{
	const struct control_file_link *q = request;
	const struct control_file_link_reply r;

	if (asked_for("link", q->tree, q->path, q->to, call))
		rpc_reply(call, &r);
}

static void on_change(struct rpc_call *call, void *request)
{
	const struct control_file_change *q = request;
	const struct control_file_change_reply r;

	if (asked_for("change", q->tree, q->path, msg_str(""), call)) {
		asked.mode = q->set_mode ? q->mode : 99999;
		asked.uid = q->set_uid ? q->uid : 99999;
		asked.gid = q->set_gid ? q->gid : 99999;
		asked.size = q->set_size ? q->size : 99999;
		asked.times = q->set_atime && q->set_mtime;
		asked.atime = q->atime;
		asked.mtime = q->mtime;
		rpc_reply(call, &r);
	}
}

static void on_write(struct rpc_call *call, void *request)
{
	const struct control_file_write *q = request;
	const struct control_file_write_reply r = { says.written };

	if (asked_for("write", q->tree, q->path, msg_str(""), call)) {
		ck_assert(q->content.len < sizeof(asked.more));
		memcpy(asked.more, q->content.p, q->content.len);
		asked.size = q->offset;
		rpc_reply(call, &r);
	}
}

static const struct rpc_method sentry_methods[] = {
	RPC_METHOD(control, file_look, on_look),
	RPC_METHOD(control, file_list, on_list),
	RPC_METHOD(control, file_read, on_read),
	RPC_METHOD(control, file_make, on_make),
	RPC_METHOD(control, file_remove, on_remove),
	RPC_METHOD(control, file_rename, on_rename),
	RPC_METHOD(control, file_link, on_link),
	RPC_METHOD(control, file_change, on_change),
	RPC_METHOD(control, file_write, on_write),
};

static void on_closed(struct rpc *r, const struct err *why, void *arg)
{
	ck_abort_msg("%s", why ? err_text(why) : "closed");
}

/* --- the kernel ----------------------------------------------------------------------- */

static struct sandbox sandbox;
static struct container container = { .sandbox = &sandbox };
static struct rpc *sentry;
static int kernel;
static uint64_t unique;

static union {
	struct fuse_out_header h;
	uint8_t bytes[FUSE_READ_MAX + 64];
} answer;
static const void *const payload = answer.bytes + sizeof(answer.h);

static struct err *serve_on(int *fd, const char *tree)
{
	struct control_id_range range = { 0, 1000, 100 };
	struct control_files_serve q = { .tree = msg_str(tree), .fuse = *fd };
	struct err *e;

	if (*tree) {
		q.uids = q.gids = &range;
		q.n_uids = q.n_gids = 1;
	}
	e = view_serve(&container, &q);
	*fd = q.fuse;
	return e;
}

static void serve(const char *tree)
{
	int fds[2];
	struct err *e;

	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
	if (kernel > 0)
		close(kernel);
	kernel = fds[0];
	e = serve_on(&fds[1], tree);
	ck_assert_msg(!e && fds[1] == -1, "%s", e ? err_text(e) : "");
}

static void set_up(void)
{
	static char id[] = "c";
	int fds[2];

	says = (struct says){ .look = { .mode = S_IFDIR | 0555, .inode = 7 } };
	container.id = id;
	sandbox.base = event_base_new();
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
	ck_assert(!rpc_new(sandbox.base, fds[0], NULL, 0, on_closed, NULL, &sandbox.rpc));
	ck_assert(!rpc_new(sandbox.base, fds[1], sentry_methods, sizeof(sentry_methods) / sizeof(sentry_methods[0]), on_closed, NULL, &sentry));
	serve("");
}

static void tear_down(void)
{
	views_close(&container);
	while (says.n_pending)
		rpc_fail(says.pending[--says.n_pending], err_new(EIO, "late"));
	rpc_free(sandbox.rpc);
	rpc_free(sentry);
	event_base_free(sandbox.base);
}

static void send_bytes(uint32_t opcode, uint64_t node, const void *body, size_t len, uint32_t said)
{
	struct {
		struct fuse_in_header h;
		uint8_t body[512];
	} f = { .h = { .len = said, .opcode = opcode, .unique = ++unique, .nodeid = node } };

	if (len)
		memcpy(f.body, body, len);
	ck_assert_int_eq(write(kernel, &f, sizeof(f.h) + len), (ssize_t)(sizeof(f.h) + len));
}

static void request(uint32_t opcode, uint64_t node, const void *body, size_t len)
{
	send_bytes(opcode, node, body, len, (uint32_t)(sizeof(struct fuse_in_header) + len));
}

/* The next answer's length without its header; -1: the connection was given up. */
static int hear(void)
{
	for (;;) {
		ssize_t n = read(kernel, &answer, sizeof(answer));

		if (n == 0)
			return -1;
		if (n > 0) {
			ck_assert(n >= (ssize_t)sizeof(answer.h) && answer.h.len == (size_t)n);
			return (int)((size_t)n - sizeof(answer.h));
		}
		ck_assert_int_eq(errno, EAGAIN);
		event_base_loop(sandbox.base, EVLOOP_ONCE);
	}
}

static int ask(uint32_t opcode, uint64_t node, const void *body, size_t len)
{
	int n;

	request(opcode, node, body, len);
	n = hear();
	ck_assert(n < 0 || answer.h.unique == unique);
	return n;
}

/* As an errno, for requests that carry no more than a node. */
static int error_of(uint32_t opcode, uint64_t node, const void *body, size_t len)
{
	ck_assert_int_ge(ask(opcode, node, body, len), 0);
	return -answer.h.error;
}

static void greet(void)
{
	const struct fuse_init_in in = { .major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION };
	const struct fuse_init_out *out = payload;

	ck_assert_int_eq(ask(FUSE_INIT, 0, &in, INIT_SIZE), sizeof(*out));
	ck_assert(!answer.h.error && out->major == FUSE_KERNEL_VERSION);
}

static uint64_t look_up(uint64_t dir, const char *name)
{
	const struct fuse_entry_out *out = payload;

	ck_assert_int_eq(ask(FUSE_LOOKUP, dir, name, strlen(name) + 1), sizeof(*out));
	ck_assert_int_eq(answer.h.error, 0);
	ck_assert(!out->entry_valid && !out->attr_valid);
	return out->nodeid;
}

/* --- good and bad answers ---------------------------------------------------------------- */

START_TEST(looks)
{
	const struct fuse_attr_out *out = payload;
	const struct fuse_forget_in forget = { 1 };
	uint64_t dir, file;

	greet();
	dir = look_up(NODES_ROOT, "1");
	says.look.mode = S_IFREG | S_ISUID | 0444;
	file = look_up(dir, "status");
	ck_assert_str_eq(says.path, "1/status");
	ck_assert_int_eq(ask(FUSE_GETATTR, file, "", 0), sizeof(*out));
	ck_assert(out->attr.mode == (S_IFREG | 0444) && out->attr.ino == 7);
	says.look.mode = S_IFCHR | 0666;
	ck_assert_int_eq(error_of(FUSE_GETATTR, file, "", 0), EIO);
	ck_assert_int_eq(error_of(FUSE_LOOKUP, dir, "x", 2), ENOENT); /* as if it were not there */
	says.error = ENOENT;
	ck_assert_int_eq(error_of(FUSE_LOOKUP, dir, "x", 2), ENOENT);
	says.error = ENOSYS; /* which would mean more to the kernel */
	ck_assert_int_eq(error_of(FUSE_GETATTR, file, "", 0), EIO);
	says.error = 0;
	request(FUSE_FORGET, file, &forget, sizeof(forget));
	ck_assert_int_eq(error_of(FUSE_GETATTR, file, "", 0), ESTALE);
	ck_assert_int_eq(error_of(FUSE_LOOKUP, 12345, "x", 2), ESTALE);
}
END_TEST

START_TEST(reads)
{
	struct fuse_read_in in = { .size = 4 };
	uint64_t file;

	greet();
	says.look.mode = S_IFREG | 0444;
	file = look_up(NODES_ROOT, "uptime");
	says.content = (struct msg_bytes){ (const uint8_t *)"1234", 4 };
	ck_assert_int_eq(ask(FUSE_READ, file, &in, sizeof(in)), 4);
	ck_assert(!memcmp(payload, "1234", 4));
	says.content.len = 0;
	ck_assert_int_eq(ask(FUSE_READ, file, &in, sizeof(in)), 0);
	says.content = (struct msg_bytes){ (const uint8_t *)"12345", 5 };
	ck_assert_int_eq(error_of(FUSE_READ, file, &in, sizeof(in)), EIO);
	/* a text without an end ends */
	in.offset = 1 << 24;
	says.asked = 0;
	ck_assert_int_eq(ask(FUSE_READ, file, &in, sizeof(in)), 0);
	ck_assert(!answer.h.error && !says.asked);
}
END_TEST

START_TEST(links)
{
	uint64_t link;

	greet();
	says.look.mode = S_IFLNK | 0777;
	link = look_up(NODES_ROOT, "self");
	says.content = (struct msg_bytes){ (const uint8_t *)"12", 2 };
	ck_assert_int_eq(ask(FUSE_READLINK, link, "", 0), 2);
	says.content = (struct msg_bytes){ (const uint8_t *)"1\0002", 3 };
	ck_assert_int_eq(error_of(FUSE_READLINK, link, "", 0), EIO);
	says.content.len = 0;
	ck_assert_int_eq(error_of(FUSE_READLINK, link, "", 0), EIO);
}
END_TEST

static int list(uint64_t from, uint32_t size)
{
	const struct fuse_read_in in = { .offset = from, .size = size };

	return ask(FUSE_READDIR, NODES_ROOT, &in, sizeof(in));
}

START_TEST(lists)
{
	const struct fuse_dirent *d = payload;
	static const struct {
		struct msg_str name;
		uint64_t next;
	} bad[] = { { { "a/b", 3 }, 2 }, { { "", 0 }, 2 }, { { "a", 1 }, 1 }, { { "a", 1 }, 0 }, { { "a", 1 }, 1 << 24 } };

	greet();
	says.entries[0] = (struct control_file_entry){ msg_str("."), 5, 4, 1 };
	says.entries[1] = (struct control_file_entry){ msg_str("cpuinfo"), 0, 8, 2 };
	says.n_entries = 2;
	ck_assert_int_eq(list(0, 4096), 2 * 32);
	ck_assert(d->off == 1 && d->ino == 5 && d->namelen == 1 && d->type == 4);
	d = (const void *)((const char *)payload + 32);
	ck_assert(d->off == 2 && d->ino && d->namelen == 7 && !memcmp(d->name, "cpuinfo", 7));
	ck_assert_int_eq(list(0, 63), 32); /* what there is room for */
	ck_assert_int_eq(list(0, 31), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		says.entries[1].name = bad[i].name;
		says.entries[1].next = bad[i].next;
		list(0, 4096);
		ck_assert_int_eq(answer.h.error, -EIO);
	}
	says.asked = 0;
	ck_assert_int_eq(list(1 << 24, 4096), 0);
	ck_assert(!answer.h.error && !says.asked);
}
END_TEST

/* --- changes ------------------------------------------------------------------------------ */

/* A request of a structure and names. */
static int change(uint32_t opcode, uint64_t node, const void *in, size_t len, const char *names, size_t names_len)
{
	uint8_t body[400];

	memcpy(body, in, len);
	memcpy(body + len, names, names_len);
	return error_of(opcode, node, body, len + names_len);
}
#define CHANGE(OPCODE, NODE, IN, NAMES) change(OPCODE, NODE, IN, sizeof(*(IN)), NAMES, sizeof(NAMES))

static void was_asked(const char *what, const char *path, const char *more)
{
	ck_assert_str_eq(asked.what, what);
	ck_assert_str_eq(asked.path, path);
	ck_assert_str_eq(asked.more, more);
}

static uint64_t dir_in_tmpfs(void)
{
	uint64_t dir;

	serve("/tmp");
	greet();
	says.look.mode = S_IFDIR | 01777;
	dir = look_up(NODES_ROOT, "d");
	return dir;
}

START_TEST(makes)
{
	const struct fuse_entry_out *out = payload;
	uint64_t dir = dir_in_tmpfs();

	says.look.uid = 7; /* 1007 on the host */
	says.look.gid = 100; /* which has none there */
	says.look.mode = S_IFREG | 04640;
	says.look.mtime = -1;
	ck_assert_int_eq(CHANGE(FUSE_MKNOD, dir, (&(struct fuse_mknod_in){ .mode = S_IFREG | 0640 }), "f"), 0);
	was_asked("make", "d/f", "");
	ck_assert_uint_eq(asked.mode, S_IFREG | 0640);
	ck_assert_str_eq(says.path, "d/f"); /* what there is then, is looked at */
	ck_assert(out->nodeid > dir && out->attr.mode == (S_IFREG | 04640) && out->attr.uid == 1007 && out->attr.gid == IDS_NOBODY);
	ck_assert(out->attr.mtime == (uint64_t)-1 && out->attr.mtimensec == 999999999);
	ck_assert_int_eq(CHANGE(FUSE_MKDIR, NODES_ROOT, (&(struct fuse_mkdir_in){ .mode = 0700 }), "x"), 0);
	was_asked("make", "x", "");
	ck_assert_uint_eq(asked.mode, S_IFDIR | 0700);
	ck_assert_int_eq(change(FUSE_SYMLINK, dir, "", 0, "l\0to/there", 11), 0);
	was_asked("make", "d/l", "to/there");
	ck_assert_uint_eq(asked.mode & S_IFMT, S_IFLNK);
	ck_assert_int_eq(CHANGE(FUSE_LINK, NODES_ROOT, (&(struct fuse_link_in){ .oldnodeid = dir }), "again"), 0);
	was_asked("link", "d", "again");
	ck_assert_str_eq(says.path, "again");
	ck_assert_int_eq(CHANGE(FUSE_LINK, NODES_ROOT, (&(struct fuse_link_in){ .oldnodeid = 4711 }), "again"), ESTALE);
	says.error = ENOSPC;
	ck_assert_int_eq(CHANGE(FUSE_MKDIR, NODES_ROOT, (&(struct fuse_mkdir_in){ .mode = 0700 }), "x"), ENOSPC);
}
END_TEST

START_TEST(removes_and_renames)
{
	uint64_t dir = dir_in_tmpfs(), file = look_up(dir, "f");

	ck_assert_int_eq(change(FUSE_UNLINK, dir, "", 0, "x", 2), 0);
	was_asked("remove", "d/x", "");
	ck_assert(!asked.flag);
	ck_assert_int_eq(change(FUSE_RMDIR, NODES_ROOT, "", 0, "x", 2), 0);
	ck_assert(asked.flag);
	ck_assert_int_eq(CHANGE(FUSE_RENAME, NODES_ROOT, (&(struct fuse_rename_in){ NODES_ROOT }), "d\0e"), 0);
	was_asked("rename", "d", "e");
	ck_assert(asked.flag);
	ck_assert_int_eq(error_of(FUSE_GETATTR, file, "", 0), 0);
	ck_assert_str_eq(says.path, "e/f"); /* the numbers that the kernel has are still theirs */
	ck_assert_int_eq(CHANGE(FUSE_RENAME2, dir, (&(struct fuse_rename2_in){ .newdir = NODES_ROOT, .flags = RENAME_NOREPLACE }), "f\0g"), 0);
	was_asked("rename", "e/f", "g");
	ck_assert(!asked.flag);
	ck_assert_int_eq(CHANGE(FUSE_RENAME2, dir, (&(struct fuse_rename2_in){ .newdir = NODES_ROOT, .flags = RENAME_EXCHANGE }), "f\0g"), EINVAL);
	ck_assert_int_eq(CHANGE(FUSE_RENAME, NODES_ROOT, (&(struct fuse_rename_in){ 4711 }), "d\0e"), ESTALE);
}
END_TEST

START_TEST(changes)
{
	struct fuse_setattr_in in = { .valid = FATTR_UID | FATTR_GID | FATTR_ATIME | FATTR_MTIME | FATTR_MTIME_NOW, .uid = 1005, .gid = 1099, .atime = 3, .atimensec = 4 };
	uint64_t dir = dir_in_tmpfs();

	ck_assert_int_eq(change(FUSE_SETATTR, dir, &in, sizeof(in), "", 0), 0);
	was_asked("change", "d", "");
	ck_assert(asked.uid == 5 && asked.gid == 99 && asked.mode == 99999 && asked.size == 99999);
	ck_assert(asked.times && asked.atime == 3000000004 && asked.mtime == INT64_MIN);
	in.uid = 5; /* no user of the container's */
	ck_assert_int_eq(change(FUSE_SETATTR, dir, &in, sizeof(in), "", 0), EOVERFLOW);
	in = (struct fuse_setattr_in){ .valid = FATTR_SIZE | FATTR_MODE, .size = UINT64_MAX, .mode = S_IFREG | 0600 };
	ck_assert_int_eq(change(FUSE_SETATTR, dir, &in, sizeof(in), "", 0), 0);
	ck_assert(asked.size == INT64_MAX && asked.mode == 0600 && asked.uid == 99999);
}
END_TEST

START_TEST(writes)
{
	const struct fuse_write_out *out = payload;
	struct fuse_write_in in = { .offset = 5, .size = 4 };
	uint64_t dir = dir_in_tmpfs();

	says.written = 4;
	ck_assert_int_eq(change(FUSE_WRITE, dir, &in, sizeof(in), "abcd", 4), 0);
	was_asked("write", "d", "abcd");
	ck_assert(asked.size == 5 && out->size == 4);
	says.written = 5; /* more than it was given */
	ck_assert_int_eq(change(FUSE_WRITE, dir, &in, sizeof(in), "abcd", 4), EIO);
	in.offset = UINT64_MAX;
	ck_assert_int_eq(change(FUSE_WRITE, dir, &in, sizeof(in), "abcd", 4), EFBIG);
}
END_TEST

START_TEST(no_devices)
{
	const struct fuse_dirent *d = payload;

	dir_in_tmpfs();
	says.n_entries = 2;
	says.entries[0] = (struct control_file_entry){ msg_str("null"), 5, DT_CHR, 1 };
	says.entries[1] = (struct control_file_entry){ msg_str("fifo"), 6, DT_FIFO, 1ull << 40 };
	ck_assert_int_eq(list(0, 4096), 32);
	ck_assert(d->off == 1ull << 40 && !memcmp(d->name, "fifo", 4));
	/* a whole answer of them is not the end */
	says.entries[1].type = DT_BLK;
	says.asked = 0;
	list(0, 4096);
	ck_assert_int_eq(answer.h.error, -EIO); /* it is asked again, and says the same, which goes backwards */
	ck_assert_uint_eq(says.asked, 2);
}
END_TEST

START_TEST(proc_is_read_only)
{
	greet();
	says.asked = 0;
	ck_assert_int_eq(CHANGE(FUSE_MKDIR, NODES_ROOT, (&(struct fuse_mkdir_in){ .mode = 0700 }), "x"), EROFS);
	ck_assert_uint_eq(says.asked, 0);
}
END_TEST

/* --- silence --------------------------------------------------------------------------- */

START_TEST(interrupted)
{
	struct fuse_interrupt_in in;

	greet();
	says.nothing = true;
	request(FUSE_LOOKUP, NODES_ROOT, "1", 2);
	in.unique = unique;
	request(FUSE_INTERRUPT, 0, &in, sizeof(in));
	ck_assert_int_eq(hear(), 0);
	ck_assert(answer.h.unique == in.unique && answer.h.error == -EINTR);
	in.unique = 99999; /* nothing to interrupt */
	request(FUSE_INTERRUPT, 0, &in, sizeof(in));
	says.nothing = false;
	look_up(NODES_ROOT, "2");
}
END_TEST

START_TEST(deadline)
{
	greet();
	says.nothing = true;
	for (int i = 0; i < 40; i++) /* more than are under way at once */
		request(FUSE_LOOKUP, NODES_ROOT, "1", 2);
	for (int i = 0; i < 40; i++) {
		ck_assert_int_eq(hear(), 0);
		ck_assert_int_eq(answer.h.error, -ETIMEDOUT);
	}
	says.nothing = false;
	look_up(NODES_ROOT, "2");
}
END_TEST

START_TEST(closed_while_asked)
{
	greet();
	says.nothing = true;
	request(FUSE_LOOKUP, NODES_ROOT, "1", 2);
	while (!says.asked)
		event_base_loop(sandbox.base, EVLOOP_ONCE);
	serve(""); /* another view in its place */
	greet();
	request(FUSE_LOOKUP, NODES_ROOT, "1", 2);
	while (says.asked < 2)
		event_base_loop(sandbox.base, EVLOOP_ONCE);
	close(kernel); /* the mount has gone */
	kernel = 0;
	while (!LIST_EMPTY(&container.views))
		event_base_loop(sandbox.base, EVLOOP_ONCE);
}
END_TEST

/* --- what is no FUSE ---------------------------------------------------------------------- */

static const struct bad {
	uint32_t opcode;
	bool greeted;
	size_t len, short_of; /* of the body; what its header says less */
	const char *body;
} bad[] = {
	{ FUSE_LOOKUP, false, 2, 0, "1" },
	{ FUSE_INIT, true, INIT_SIZE, 0, NULL },
	{ FUSE_INIT, false, INIT_SIZE - 1, 0, NULL },
	{ FUSE_INIT, false, INIT_SIZE, 0, NULL }, /* version 0 */
	{ FUSE_LOOKUP, true, 2, 0, "12" }, /* no NUL at its end */
	{ FUSE_LOOKUP, true, 4, 0, "1\0002" },
	{ FUSE_LOOKUP, true, 1, 0, "" },
	{ FUSE_LOOKUP, true, 0, 0, NULL },
	{ FUSE_READ, true, sizeof(struct fuse_read_in) - 1, 0, NULL },
	{ FUSE_READDIR, true, 0, 0, NULL },
	{ FUSE_FORGET, true, 0, 0, NULL },
	{ FUSE_INTERRUPT, true, 1, 0, NULL },
	{ FUSE_BATCH_FORGET, true, sizeof(struct fuse_batch_forget_in), 0, "\001\0\0\0\0\0\0" },
	{ FUSE_GETATTR, true, 16, 1, NULL },
	{ FUSE_SETATTR, true, sizeof(struct fuse_setattr_in) - 1, 0, NULL },
	{ FUSE_WRITE, true, sizeof(struct fuse_write_in) + 1, 0, NULL }, /* a byte more than it says */
	{ FUSE_MKDIR, true, sizeof(struct fuse_mkdir_in), 0, NULL }, /* without a name */
	{ FUSE_SYMLINK, true, 2, 0, "l" }, /* without where to */
	{ FUSE_RENAME, true, sizeof(struct fuse_rename_in) + 3, 0, "\1\0\0\0\0\0\0\0a\0b" },
};

START_TEST(no_fuse)
{
	static const uint8_t zeros[128];
	const struct bad *b = &bad[_i];

	if (b->greeted)
		greet();
	send_bytes(b->opcode, 1, b->body ? b->body : (const char *)zeros, b->len, (uint32_t)(sizeof(struct fuse_in_header) + b->len - b->short_of));
	ck_assert_int_eq(hear(), -1);
	ck_assert(LIST_EMPTY(&container.views));
}
END_TEST

START_TEST(odd)
{
	char name[300];
	int fds[2], file = open("/proc/self/exe", O_RDONLY | O_NONBLOCK);
	struct err *e;

	greet();
	ck_assert_int_eq(error_of(FUSE_SETXATTR, 1, "", 0), ENOSYS);
	ck_assert_int_eq(error_of(4711, 1, "", 0), ENOSYS);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	ck_assert_int_eq(error_of(FUSE_LOOKUP, 1, name, sizeof(name)), ENAMETOOLONG);
	ck_assert(write(kernel, "short", 5) == 5 && hear() == -1);
	/* descriptors that would keep us waiting, or cannot be waited for */
	ck_assert(!pipe(fds));
	ck_assert((e = serve_on(&fds[0], "")) && fds[0] >= 0);
	err_free(e);
	ck_assert((e = serve_on(&file, "")) && file >= 0);
	err_free(e);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("controld/view");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, looks);
	tcase_add_test(t, reads);
	tcase_add_test(t, links);
	tcase_add_test(t, lists);
	tcase_add_test(t, makes);
	tcase_add_test(t, removes_and_renames);
	tcase_add_test(t, changes);
	tcase_add_test(t, writes);
	tcase_add_test(t, no_devices);
	tcase_add_test(t, proc_is_read_only);
	tcase_add_test(t, interrupted);
	tcase_add_test(t, deadline);
	tcase_add_test(t, closed_while_asked);
	tcase_add_loop_test(t, no_fuse, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, odd);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
