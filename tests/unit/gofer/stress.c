/*
 * stress.c - a hostile or merely confused peer: random requests on random
 * handles, good, released and invented, while another process renames below
 * the same directories.  The gofer must answer every one and end in peace.
 *
 * Runs the executable named by GOFER (gofer/gofer); skipped if there is none.
 * links:
 */
#include "libipc/protocols.h"
#include "libipc/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUESTS 20000
#define HANDLES 2048

static struct rpc_client *client;
static uint64_t handles[HANDLES];
static unsigned n_handles;
static bool lost;
static long answered, refused;

static unsigned rnd(unsigned n)
{
	return (unsigned)random() % n;
}

/* --- what requests are made of ---------------------------------------------------- */

static void keep(uint64_t handle)
{
	handles[n_handles < HANDLES ? n_handles++ : 1 + rnd(HANDLES - 1)] = handle;
}

static uint64_t some_handle(void)
{
	return rnd(50) ? handles[rnd(n_handles)] : (uint64_t)random() * (uint64_t)random();
}

/* few names, so that they meet; some that must be refused */
static struct msg_str some_name(void)
{
	static const char *const names[] = { "a", "b", "c", "d", "ax", "bx", "cx", "dx", "\xff\n" };
	static const char *const bad[] = { "", ".", "..", "a/b" };

	return msg_str(rnd(100) ? names[rnd(9)] : bad[rnd(4)]);
}

static int call(uint32_t id, const struct msg_desc *qd, const void *q, const struct msg_desc *rd, void *r)
{
	struct msg_arena a = { NULL };
	int rc = rpc_client_call_errno(client, id, qd, q, rd, r, &a);

	if (rc == -EPIPE || rc == -ECONNRESET)
		lost = true;
	else if (rc)
		refused++;
	else
		answered++;
	if (!rc && id == gofer_walk_id) {
		struct gofer_walk_reply *w = r;

		for (uint32_t i = 0; i < w->n_nodes; i++)
			keep(w->nodes[i].node);
	}
	if (!rc)
		msg_free(rd, r, &a); /* and the descriptors with it */
	return rc;
}

#define ASK(M, r, ...)                                                                                                                     \
	({                                                                                                                                 \
		struct gofer_##M q = { __VA_ARGS__ };                                                                                      \
		call(gofer_##M##_id, &gofer_##M##_desc, &q, &gofer_##M##_reply_desc, r);                                                   \
	})
#define MAKE(M, ...)                                                                                                                       \
	do {                                                                                                                               \
		struct gofer_##M##_reply r;                                                                                                \
		if (!ASK(M, &r, __VA_ARGS__))                                                                                              \
			keep(r.made.node);                                                                                                 \
	} while (0)
#define DO(M, ...)                                                                                                                         \
	do {                                                                                                                               \
		struct gofer_##M##_reply r;                                                                                                \
		(void)!ASK(M, &r, __VA_ARGS__);                                                                                            \
	} while (0)

/* --- the requests -------------------------------------------------------------------- */

static void walk(void)
{
	struct msg_str names[5];
	uint32_t n = rnd(6);

	for (uint32_t i = 0; i < n; i++)
		names[i] = some_name();
	DO(walk, some_handle(), names, n);
}

static void make(void)
{
	uint32_t me = geteuid(), mine = getegid();

	switch (rnd(5)) {
	case 0:
		MAKE(mkdir, some_handle(), some_name(), 0755, me, mine);
		break;
	case 1:
		MAKE(create, some_handle(), some_name(), O_RDWR, 0644, me, mine);
		break;
	case 2:
		MAKE(mknod, some_handle(), some_name(), (rnd(2) ? S_IFIFO : S_IFSOCK) | 0644, 0, me, mine);
		break;
	case 3:
		MAKE(symlink, some_handle(), some_name(), msg_str("/etc"), me, mine);
		break;
	default:
		MAKE(link, some_handle(), some_name(), some_handle());
	}
}

static void change(void)
{
	switch (rnd(4)) {
	case 0:
		DO(unlink, some_handle(), some_name(), rnd(2));
		break;
	case 1:
		DO(setattr, some_handle(), rnd(64), rnd(01000), geteuid(), getegid(), rnd(9999), rnd(9999), rnd(9999));
		break;
	default:
		DO(rename, some_handle(), some_name(), some_handle(), some_name(), rnd(4));
	}
}

static void look(void)
{
	switch (rnd(6)) {
	case 0:
		DO(getattr, some_handle());
		break;
	case 1:
		DO(open, some_handle(), rnd(4) | (rnd(2) ? O_TRUNC : 0));
		break;
	case 2:
		DO(readdir, some_handle(), rnd(3) ? 0 : (uint64_t)random() << 20);
		break;
	case 3:
		DO(readlink, some_handle());
		break;
	case 4:
		DO(listxattr, some_handle());
		break;
	default:
		DO(statfs, some_handle());
	}
}

static void release(void)
{
	uint64_t some[16];
	struct gofer_release q = { some, 16 };

	for (int i = 0; i < 16; i++)
		some[i] = n_handles > 1 ? handles[--n_handles] : some_handle() | 1ull << 40;
	(void)rpc_client_call_errno(client, gofer_release_id, &gofer_release_desc, &q, NULL, NULL, NULL);
}

/* --- the others ------------------------------------------------------------------------ */

static pid_t start_gofer(const char *gofer, const char *dir, int *sock)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		return -1;
	pid = fork();
	if (pid == 0) {
		struct rlimit few = { 340, 340 }; /* so that nodes are opened again and again */
		char number[16];

		close(pair[0]);
		setrlimit(RLIMIT_NOFILE, &few);
		snprintf(number, sizeof(number), "%d", pair[1]);
		execl(gofer, gofer, "--root", dir, "--ipc-fd", number, NULL);
		_exit(127);
	}
	close(pair[1]);
	*sock = pair[0];
	return pid;
}

/* Another process of the host that knows no rules. */
static pid_t start_meddler(const char *dir)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (chdir(dir))
		_exit(1);
	for (;;) {
		char from[64], to[64];

		snprintf(from, sizeof(from), "./%c/%c", "abcd"[rnd(4)], "abcd"[rnd(4)]);
		snprintf(to, sizeof(to), "./%c", "abcd"[rnd(4)]);
		(void)!renameat(AT_FDCWD, from, AT_FDCWD, to);
		(void)!renameat(AT_FDCWD, to, AT_FDCWD, from);
		if (!rnd(10))
			(void)!symlink("/etc", to);
		if (!rnd(10))
			unlink(from);
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

int main(void)
{
	const char *gofer = getenv("GOFER") ? getenv("GOFER") : "gofer/gofer";
	char dir[] = "/tmp/gofer-stress.XXXXXX";
	pid_t server, meddler;
	int sock, status = 0;
	struct err *e;
	struct gofer_attach_reply at;

	if (access(gofer, X_OK)) {
		printf("skipped: no %s\n100%%: Checks: 0, Failures: 0, Errors: 0\n", gofer);
		return EXIT_SUCCESS;
	}
	srandom((unsigned)getpid());
	if (!mkdtemp(dir) || (server = start_gofer(gofer, dir, &sock)) < 0)
		return EXIT_FAILURE;
	e = rpc_client_new(sock, &client);
	if (e || ASK(attach, &at, 0)) {
		fprintf(stderr, "no connection: %s\n", e ? err_text(e) : "");
		return EXIT_FAILURE;
	}
	keep(at.root.node);
	meddler = start_meddler(dir);
	for (int i = 0; i < REQUESTS && !lost; i++) {
		static void (*const what[])(void) = { walk, walk, make, make, change, look, look };

		if (rnd(20))
			what[rnd(7)]();
		else
			release();
	}
	rpc_client_free(client);
	kill(meddler, SIGKILL);
	waitpid(meddler, NULL, 0);
	waitpid(server, &status, 0);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	bool bad = lost || status || !answered;

	printf("%ld answered, %ld refused, seed %d%s\n", answered, refused, (int)getpid(), lost ? ", connection lost" : "");
	printf("%d%%: Checks: 1, Failures: %d, Errors: 0\n", bad ? 0 : 100, bad);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
