/*
 * user_ns_max.c - /proc/sys/user/max_user_namespaces: who may write it, and that it counts
 * (`bwrap --disable-userns`).  In user namespaces of the test's own; natively: root.
 */
#include "../put.h"
#include "../test.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define MAX "/proc/sys/user/max_user_namespaces"

static long get(void)
{
	char text[32] = "";
	int fd = open(MAX, O_RDONLY);

	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 1);
	close(fd);
	return atol(text);
}

/* Nobody, who makes a user namespace and is its root. */
static void be_root_of_own(void)
{
	if (!getuid())
		CHECK(setgroups(0, NULL) == 0 && setresgid(1234, 1234, 1234) == 0 && setresuid(1234, 1234, 1234) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* else /proc/self is root's */
	CHECK(get() > 0 && put_text(MAX, "7") == EACCES);
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(put_text("/proc/self/setgroups", "deny") == 0 && put_text("/proc/self/uid_map", "0 1234 1") == 0 && put_text("/proc/self/gid_map", "0 1234 1") == 0);
}

CASE(written_by_its_root)
{
	struct stat st;

	be_root_of_own();
	CHECK(get() == INT32_MAX);
	CHECK(stat(MAX, &st) == 0 && (st.st_mode & 07777) == 0644);
	CHECK(put_text(MAX, "5\n") == 0 && get() == 5);
	CHECK(put_text(MAX, "x") == EINVAL && put_text(MAX, "2147483648") == EINVAL && get() == 5);
}

static int more(void)
{
	int st;

	if (!fork())
		_exit(unshare(CLONE_NEWUSER) ? errno : 0);
	CHECK(wait(&st) > 0 && WIFEXITED(st));
	return WEXITSTATUS(st);
}

/* One may be made again: Linux lets go of an earlier one a little after its end. */
static void settles(void)
{
	int e;

	while ((e = more()) == ENOSPC)
		usleep(10000);
	CHECK(e == 0);
}

CASE(none)
{
	be_root_of_own();
	CHECK(more() == 0 && put_text(MAX, "0") == 0);
	CHECK(more() == ENOSPC);
	CHECK(put_text(MAX, "1") == 0);
	settles();
}

/* One within it may be made, but none within that: it counts for both. */
CASE(descendants_count)
{
	int ready[2], go[2], st;
	char c;
	pid_t p;

	be_root_of_own();
	CHECK(put_text(MAX, "1") == 0 && pipe(ready) == 0 && pipe(go) == 0);
	if (!(p = fork())) {
		CHECK(unshare(CLONE_NEWUSER) == 0);
		CHECK(put_text("/proc/self/uid_map", "0 0 1") == 0 && put_text("/proc/self/gid_map", "0 0 1") == 0);
		CHECK(get() == INT32_MAX && more() == ENOSPC);
		CHECK(write(ready[1], "x", 1) == 1 && read(go[0], &c, 1) == 1);
		_exit(0);
	}
	CHECK(read(ready[0], &c, 1) == 1);
	CHECK(more() == ENOSPC); /* there is one already */
	CHECK(write(go[1], "x", 1) == 1 && waitpid(p, &st, 0) == p && !st);
	settles();
}

int main(void) { return run_cases(); }
