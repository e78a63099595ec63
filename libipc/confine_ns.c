/*
 * confine_ns.c - ids, namespaces, and the parent process that a new pid namespace requires.
 *
 * A pid namespace is entered only by a fork, so a component started from a shell becomes two processes.
 * The one that the shell knows drops everything but a pidfd of its child: it forwards signals, waits,
 * and ends as the child ended.  The child dies with it.
 */
#include "libipc/confine_internal.h"
#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

const struct confine_namespace confine_namespace_names[] = {
	{ "user", CLONE_NEWUSER },
	{ "mnt", CLONE_NEWNS },
	{ "pid", CLONE_NEWPID },
	{ "net", CLONE_NEWNET },
	{ "ipc", CLONE_NEWIPC },
	{ "uts", CLONE_NEWUTS },
	{ "cgroup", CLONE_NEWCGROUP },
	{ NULL, 0 },
};

/* --- ids ---------------------------------------------------------------------- */

/* Whether id exists in our user namespace: in one made by `unshare -r` only
 * root does, and then root is as unprivileged an id as there is. */
static bool id_exists(const char *map, unsigned id)
{
	unsigned first, outside, count;
	bool found = false;
	FILE *f = fopen(map, "re");
	while (f && !found && fscanf(f, "%u %u %u", &first, &outside, &count) == 3)
		found = id >= first && id - first < count;
	if (f)
		fclose(f);
	return found;
}

static struct err *become_nobody(void)
{
	if (!id_exists("/proc/self/uid_map", NOBODY) || !id_exists("/proc/self/gid_map", NOBODY))
		return NULL;
	if (setgroups(0, NULL) < 0)
		return err_new(errno, "dropping additional groups");
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0)
		return err_new(errno, "changing to group %d", NOBODY);
	if (setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return err_new(errno, "changing to user %d", NOBODY);
	/* the change made /proc/self root's; we must write our own id maps */
	if (prctl(PR_SET_DUMPABLE, 1) < 0)
		return err_new(errno, "PR_SET_DUMPABLE");
	return NULL;
}

static struct err *write_proc(const char *file, const char *text)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/%s", file);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_new(errno, "opening %s", path);
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return err_new(errno, "writing '%s' to %s", text, path);
	return NULL;
}

/* One id, the one we have, stands for itself. */
static struct err *map_own_id(uid_t uid, gid_t gid)
{
	char text[64];
	struct err *e = write_proc("setgroups", "deny");
	if (e)
		return e;
	snprintf(text, sizeof text, "%u %u 1", uid, uid);
	e = write_proc("uid_map", text);
	if (e)
		return e;
	snprintf(text, sizeof text, "%u %u 1", gid, gid);
	return write_proc("gid_map", text);
}

static bool capable(cap_value_t cap)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t v = CAP_CLEAR;
	if (caps) {
		cap_get_flag(caps, cap, CAP_EFFECTIVE, &v);
		cap_free(caps);
	}
	return v == CAP_SET;
}

/* --- the waiting parent ---------------------------------------------------------- */

/* What the parent may still do. */
static const struct policy_rule parent_rules[] = {
	{ "exit_group", { { 0 } }, "to end as the child ended" },
	{ "getpid", { { 0 } }, "to end by the child's signal" },
	{ "gettid", { { 0 } }, "to end by the child's signal (raise)" },
	{ "kill", { { 0 } }, "to pass signals on" },
	{ "pread64", { { 0 } }, "to see which signals the child catches" },
	{ "prctl", { { POLICY_EQ, 0, PR_SET_DUMPABLE, 0 } }, "not to leave a second core file" },
	{ "rt_sigaction", { { 0 } }, "to end by the child's signal" },
	{ "rt_sigprocmask", { { 0 } }, "to end by the child's signal" },
	{ "rt_sigtimedwait", { { 0 } }, "to wait for signals" },
	{ "tgkill", { { 0 } }, "to end by the child's signal (raise)" },
	{ "wait4", { { 0 } }, "to wait for the child" },
};
#ifdef REDOUBT_SANITIZE
static const struct policy_rule parent_sanitizer_rules[] = {
	{ "futex", { { 0 } }, "the sanitizer's locks" },
	{ "madvise", { { 0 } }, "its shadow memory" },
	{ "mmap", { { POLICY_MASKED_EQ, 2, 0, PROT_EXEC } }, "its memory" },
	{ "munmap", { { 0 } }, "its memory" },
	{ "sched_yield", { { 0 } }, "its locks" },
	{ "sigaltstack", { { 0 } }, "its end of a thread" },
	{ "write", { { POLICY_LE, 0, 2, 0 } }, "its report" },
};
#endif

/* The bits of one "SigCgt:\t0000..." line of /proc/PID/status. */
static uint64_t status_mask(const char *text, const char *name)
{
	const char *p = strstr(text, name);
	return p ? strtoull(p + strlen(name), NULL, 16) : 0;
}

/* The kernel drops a signal to a pid namespace's init that has no handler for
 * it.  So that SIGTERM does to the pair what it does to any process, the
 * default action is carried out from here. */
static void pass_on(pid_t child, int status_fd, const siginfo_t *si)
{
	char text[4096] = "";
	int sig = si->si_signo;
	/* a terminal's ^C went to the whole process group, the child included */
	bool has_it = si->si_code == SI_KERNEL;
	ssize_t n = pread(status_fd, text, sizeof text - 1, 0);
	if (n < 0)
		n = 0;
	text[n] = 0;
	uint64_t bit = 1ULL << (sig - 1);
	bool catches = status_mask(text, "SigCgt:\t") & bit;
	bool ignores = status_mask(text, "SigIgn:\t") & bit;
	bool waits = status_mask(text, "SigBlk:\t") & bit; /* a signalfd or sigwait user */
	if (sig == SIGCONT) {
		kill(child, SIGCONT);
	} else if (catches || waits) {
		if (!has_it)
			kill(child, sig);
	} else if (ignores || sig == SIGWINCH || sig == SIGURG) {
		return;
	} else if (sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU) {
		kill(child, SIGSTOP);
		raise(SIGSTOP);
	} else {
		kill(child, SIGKILL);
	}
}

static _Noreturn void end_as(int status)
{
	if (!WIFSIGNALED(status))
		_exit(WEXITSTATUS(status));
	int sig = WTERMSIG(status);
	sigset_t set;
	prctl(PR_SET_DUMPABLE, 0);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	_exit(128 + sig);
}

/* Never returns.  All signals are blocked on entry. */
static _Noreturn void wait_outside(pid_t child, int status_fd, const sigset_t *all)
{
	const struct policy_rule *tables[2] = { parent_rules };
	size_t n[2] = { sizeof parent_rules / sizeof parent_rules[0] }, n_tables = 1;
#ifdef REDOUBT_SANITIZE
	tables[1] = parent_sanitizer_rules;
	n[1] = sizeof parent_sanitizer_rules / sizeof parent_sanitizer_rules[0];
	n_tables = 2;
#endif
	int keep = 3;
	/* peers must see the sockets close when the child goes */
	struct err *e = status_fd < 0 || (status_fd != keep && dup2(status_fd, keep) < 0) ? err_new(errno, "status of the child") : NULL;
	syscall(SYS_close_range, keep + 1, UINT_MAX, 0);
	if (!e)
		e = confine_caps(NULL);
	if (!e && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		e = err_new(errno, "no_new_privs");
	if (!e)
		e = confine_filter(tables, n, n_tables);
	if (e) { /* nobody to tell: the child is in its confinement already */
		kill(child, SIGKILL);
		_exit(125);
	}
	for (;;) {
		siginfo_t si;
		int status;
		if (sigwaitinfo(all, &si) < 0)
			continue;
		if (si.si_signo != SIGCHLD) {
			pass_on(child, keep, &si);
			continue;
		}
		pid_t pid = waitpid(child, &status, WNOHANG);
		if (pid == child)
			end_as(status);
	}
}

static struct err *die_with_parent(int parent_pidfd)
{
	struct pollfd p = { .fd = parent_pidfd, .events = POLLIN };
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_new(errno, "PR_SET_PDEATHSIG");
	if (poll(&p, 1, 0) > 0)
		_exit(125); /* it died before the line above */
	return NULL;
}

/* Returns in the child. */
static struct err *fork_into_pid_namespace(void)
{
	sigset_t all, old;
	_cleanup_close_ int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	/* opened before the fork: the child's pivot_root moves our root too */
	_cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (self < 0)
		return err_new(errno, "pidfd_open");
	if (proc < 0)
		return err_new(errno, "/proc");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t child = fork();
	if (child < 0) {
		int errnum = errno;
		sigprocmask(SIG_SETMASK, &old, NULL);
		return err_new(errnum, "fork into the pid namespace");
	}
	if (child > 0) {
		char path[64];
		snprintf(path, sizeof path, "%d/status", (int)child);
		wait_outside(child, openat(proc, path, O_RDONLY | O_CLOEXEC), &all);
	}
	struct err *e = die_with_parent(self);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return e;
}

/* --- namespaces made by our starter ---------------------------------------------- */

/* Whether our namespace is another than the host kernel's first, whose number
 * is fixed (linux/proc_ns.h). */
static bool apart_from_first(const char *name, ino_t first)
{
	char path[64];
	struct stat st;
	snprintf(path, sizeof path, "/proc/self/ns/%s", name);
	return stat(path, &st) == 0 && st.st_ino != first;
}

/* Whether the network reaches nothing: no interface but lo (after two lines of
 * headings), and that one down, as in a new namespace. */
static bool empty_network(void)
{
	char line[512];
	bool only_lo = true;
	struct ifreq lo = { .ifr_name = "lo" };
	_cleanup_close_ int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	FILE *f = fopen("/proc/self/net/dev", "re");
	if (!f)
		return false;
	for (int n = 0; fgets(line, sizeof line, f); n++)
		if (n >= 2)
			only_lo &= strncmp(line + strspn(line, " "), "lo:", 3) == 0;
	fclose(f);
	return only_lo && s >= 0 && ioctl(s, SIOCGIFFLAGS, &lo) == 0 && !(lo.ifr_flags & IFF_UP);
}

/* They are made by one call: a network that is new shows that all are. */
static bool made_for_us(void)
{
	return empty_network() && apart_from_first("ipc", 0xefffffff) && apart_from_first("uts", 0xeffffffe);
}

/* --- all of it ------------------------------------------------------------------- */

struct err *confine_namespaces(const struct policy *p, bool made)
{
	unsigned flags = p->namespaces;
	struct err *e = NULL;
	if (getpid() == 1)
		flags &= ~(unsigned)CLONE_NEWPID; /* the parent made it */
	if (made && made_for_us())
		flags &= ~(unsigned)CONFINE_SHARED;
	if (p->user == POLICY_USER_NOBODY) {
		if (geteuid() == 0)
			e = become_nobody();
		flags |= CLONE_NEWUSER;
	} else if (!capable(CAP_SYS_ADMIN)) {
		flags |= CLONE_NEWUSER; /* a plain user: its own id, mapped to itself */
	}
	if (e)
		return e;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	if (unshare((int)flags) < 0)
		return err_new(errno, "making namespaces");
	if (flags & CLONE_NEWUSER)
		e = map_own_id(uid, gid);
	if (!e && (flags & CLONE_NEWPID))
		e = fork_into_pid_namespace();
	return e;
}
