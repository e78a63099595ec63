/* Ids, capabilities, prctl, limits, scheduling: needs to be run as root. */
#include "../test.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

static uint64_t caps(int which) /* 0 effective, 1 permitted, 2 inheritable */
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	const uint32_t *a = (uint32_t *)&d[0], *b = (uint32_t *)&d[1];

	CHECK(syscall(SYS_capget, &h, d) == 0);
	return a[which] | (uint64_t)b[which] << 32;
}

CASE(setuid_of_root)
{
	uid_t r, e, s;

	CHECK(caps(1) != 0);
	CHECK(setuid(1000) == 0);
	CHECK(getresuid(&r, &e, &s) == 0 && r == 1000 && e == 1000 && s == 1000);
	CHECK(caps(0) == 0 && caps(1) == 0);
	CHECK_ERR(setuid(0), EPERM);
	CHECK_ERR(setgroups(0, NULL), EPERM);
}

CASE(seteuid_and_back)
{
	uint64_t all = caps(1);

	CHECK(seteuid(1000) == 0 && geteuid() == 1000 && getuid() == 0);
	CHECK(caps(0) == 0 && caps(1) == all);
	CHECK(seteuid(0) == 0 && caps(0) == all);
}

CASE(setreuid_rules)
{
	uid_t r, e, s;

	CHECK(setreuid(1000, 2000) == 0);
	CHECK(getresuid(&r, &e, &s) == 0 && r == 1000 && e == 2000 && s == 2000);
	CHECK(setreuid(2000, 1000) == 0);
	CHECK_ERR(setreuid(3000, (uid_t)-1), EPERM);
	CHECK_ERR(setresuid((uid_t)-1, 5, (uid_t)-1), EPERM);
	CHECK(setresuid((uid_t)-1, 2000, 1000) == 0);
}

/* The calls for groups follow the rules of those for users, and leave capabilities alone. */
CASE(group_ids)
{
	uint64_t all = caps(0);
	gid_t r, e, s;

	CHECK(setresgid(10, 20, 30) == 0);
	CHECK(getresgid(&r, &e, &s) == 0 && r == 10 && e == 20 && s == 30);
	CHECK(setregid((gid_t)-1, 10) == 0); /* the effective one is the real one: the saved one stays */
	CHECK(getresgid(&r, &e, &s) == 0 && r == 10 && e == 10 && s == 30);
	CHECK(setregid(20, (gid_t)-1) == 0); /* a real one is given: the saved one is the effective one */
	CHECK(getresgid(&r, &e, &s) == 0 && r == 20 && e == 10 && s == 10);
	CHECK(setresgid(10, 20, 30) == 0 && caps(0) == all);
	CHECK(setresuid(1000, 1000, 1000) == 0 && caps(0) == 0);
	CHECK_ERR(setregid(30, (gid_t)-1), EPERM); /* the saved one is not for this */
	CHECK(setregid((gid_t)-1, 30) == 0 && getegid() == 30);
	CHECK_ERR(setresgid(11, (gid_t)-1, (gid_t)-1), EPERM);
	CHECK_ERR(setgid(31), EPERM);
	CHECK(setresgid(30, 10, 10) == 0);
	CHECK(setgid(30) == 0 && getresgid(&r, &e, &s) == 0 && r == 30 && e == 30 && s == 10);
	CHECK_ERR(setgid((gid_t)-1), EINVAL);
}

CASE(file_system_ids)
{
	uint64_t all = caps(0), of_files = 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_CHOWN | 1ull << CAP_FOWNER;

	CHECK(setfsgid(7) == 0 && setfsgid((gid_t)-1) == 7 && caps(0) == all);
	CHECK(setfsuid(1000) == 0 && setfsuid((uid_t)-1) == 1000);
	CHECK(!(caps(0) & of_files) && caps(0) & 1ull << CAP_SETUID);
	CHECK(setfsuid(0) == 1000 && caps(0) == all);
	CHECK(setresuid(1000, 1001, 1002) == 0);
	CHECK(setfsuid(5) == 1001 && setfsuid(1002) == 1001 && setfsuid((uid_t)-1) == 1002);
}

CASE(keepcaps)
{
	uint64_t all = caps(1);

	CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_GET_KEEPCAPS) == 1);
	CHECK(setuid(1000) == 0);
	CHECK(caps(1) == all && caps(0) == 0);
}

CASE(groups)
{
	gid_t in[3] = { 30, 10, 20 }, out[3];

	CHECK(setgroups(3, in) == 0);
	CHECK(getgroups(0, NULL) == 3 && getgroups(3, out) == 3);
	CHECK(out[0] == 10 && out[1] == 20 && out[2] == 30);
	CHECK_ERR(getgroups(1, out), EINVAL);
	CHECK_ERR(setgroups(70000, in), EINVAL);
	CHECK(setgid(500) == 0 && getgid() == 500 && getegid() == 500);
}

CASE(capset_rules)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { 0 };

	d[0].permitted = d[0].effective = 1u << CAP_CHOWN;
	CHECK(syscall(SYS_capset, &h, d) == 0);
	CHECK(caps(0) == 1u << CAP_CHOWN);
	d[0].permitted |= 1u << CAP_KILL;
	CHECK_ERR(syscall(SYS_capset, &h, d), EPERM);
	h.version = 1;
	CHECK_ERR(syscall(SYS_capset, &h, d), EINVAL);
	CHECK(h.version == _LINUX_CAPABILITY_VERSION_3);
	CHECK_ERR(setuid(5), EPERM);
}

CASE(ambient_and_bounding)
{
	CHECK(prctl(PR_CAPBSET_READ, CAP_CHOWN) == 1);
	CHECK_ERR(prctl(PR_CAPBSET_READ, 200), EINVAL);
	CHECK(prctl(PR_CAPBSET_DROP, CAP_CHOWN) == 0);
	CHECK(prctl(PR_CAPBSET_READ, CAP_CHOWN) == 0);
	CHECK_ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), EPERM);
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	CHECK(syscall(SYS_capget, &h, d) == 0);
	d[0].inheritable |= 1u << CAP_KILL;
	CHECK(syscall(SYS_capset, &h, d) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0) == 1);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0) == 0);
}

CASE(prctl_values)
{
	char name[16] = { 0 };
	int sig = 0;

	CHECK(prctl(PR_SET_NAME, "a name that is long") == 0);
	CHECK(prctl(PR_GET_NAME, name) == 0 && !strcmp(name, "a name that is "));
	CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0 && prctl(PR_GET_PDEATHSIG, &sig) == 0 && sig == SIGUSR1);
	CHECK_ERR(prctl(PR_SET_PDEATHSIG, 99), EINVAL);
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0);
	CHECK_ERR(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(prctl(123456), EINVAL);
}

CASE(signals_between_users)
{
	int st;
	pid_t victim = fork(), p;

	if (!victim)
		for (;;)
			pause();
	p = fork();
	if (!p) {
		CHECK(setuid(1000) == 0);
		CHECK_ERR(kill(victim, SIGTERM), EPERM);
		CHECK_ERR(kill(victim, 0), EPERM);
		CHECK(kill(victim, SIGCONT) == 0); /* the same session */
		_exit(0);
	}
	CHECK(waitpid(p, &st, 0) == p && st == 0);
	kill(victim, SIGKILL);
	CHECK(waitpid(victim, &st, 0) == victim && WTERMSIG(st) == SIGKILL);
}

CASE(limits)
{
	struct rlimit rl = { 100, 200 }, old;

	CHECK(setrlimit(RLIMIT_NOFILE, &rl) == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0 && old.rlim_cur == 100 && old.rlim_max == 200);
	CHECK_ERR(dup2(0, 100), EBADF);
	CHECK(dup2(0, 99) == 99);
	rl = (struct rlimit){ 300, 200 };
	CHECK_ERR(setrlimit(RLIMIT_NOFILE, &rl), EINVAL);
	CHECK_ERR(getrlimit(99, &rl), EINVAL);
	CHECK(setuid(1000) == 0);
	rl = (struct rlimit){ 100, 400 };
	CHECK_ERR(setrlimit(RLIMIT_NOFILE, &rl), EPERM);
	CHECK(prlimit(0, RLIMIT_NOFILE, NULL, &old) == 0 && old.rlim_max == 200);
}

CASE(processes_per_user)
{
	struct rlimit rl = { 1, 1 };
	pid_t p = fork();
	int st;

	if (!p) {
		CHECK(setrlimit(RLIMIT_NPROC, &rl) == 0);
		CHECK(setuid(4321) == 0);
		CHECK_ERR(fork(), EAGAIN);
		_exit(0);
	}
	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

CASE(scheduling)
{
	struct sched_param sp = { 0 };
	cpu_set_t set;

	CHECK(sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) >= 1);
	CHECK(sched_getscheduler(0) == SCHED_OTHER);
	CHECK(sched_setscheduler(0, SCHED_BATCH, &sp) == 0 && sched_getscheduler(0) == SCHED_BATCH);
	sp.sched_priority = 5;
	CHECK_ERR(sched_setscheduler(0, SCHED_OTHER, &sp), EINVAL);
	CHECK(sched_get_priority_max(SCHED_FIFO) == 99 && sched_get_priority_min(SCHED_RR) == 1);
	CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
	CHECK_ERR(getpriority(9, 0), EINVAL);
	CHECK(sched_yield() == 0);
}

CASE(names)
{
	struct utsname u;

	CHECK(uname(&u) == 0 && !strcmp(u.sysname, "Linux") && !strcmp(u.machine, "x86_64"));
	CHECK_ERR(syscall(SYS_uname, (void *)8), EFAULT);
}

#define UNSET "4294967295"

static void audit_id(const char *which, char out[static 16])
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/%s", which);
	f = fopen(path, "r");
	CHECK(f && fgets(out, 16, f));
	fclose(f);
}

static int say_login(int pid, const char *text)
{
	char path[64];
	int fd, r, error;

	snprintf(path, sizeof(path), "/proc/%d/loginuid", pid);
	fd = open(path, O_RDWR);
	if (fd < 0)
		return errno;
	r = (int)write(fd, text, strlen(text));
	error = r < 0 ? errno : 0;
	close(fd);
	return r < 0 ? error : r == (int)strlen(text) ? 0 : -1;
}

CASE(login_is_said_once)
{
	char id[16], session[16], text[16];
	int st;

	audit_id("loginuid", id);
	audit_id("sessionid", session);
	if (strcmp(id, UNSET))
		return; /* natively, in somebody's session */
	CHECK(!strcmp(session, UNSET));
	CHECK(say_login(getpid(), "abc") == EINVAL && say_login(getpid(), "-1") == EINVAL && say_login(getpid(), "12x") == EINVAL);
	CHECK(say_login(getpid(), "12345678901234") == ERANGE);
	CHECK(say_login(getpid(), "1001\n") == 0);
	audit_id("loginuid", text);
	CHECK(!strcmp(text, "1001"));
	audit_id("sessionid", session);
	CHECK(strcmp(session, UNSET));
	if (!fork()) {
		audit_id("loginuid", text);
		CHECK(!strcmp(text, "1001"));
		audit_id("sessionid", text);
		CHECK(!strcmp(text, session));
		CHECK(say_login(getppid(), "7") == EPERM);
		CHECK(setuid(1) == 0 && say_login(getpid(), "7") == EACCES);
		_exit(0);
	}
	CHECK(wait(&st) > 0 && st == 0);
	CHECK(say_login(getpid(), "1002") == (prctl(PR_CAPBSET_READ, CAP_AUDIT_CONTROL) == 1 ? 0 : EPERM));
}

int main(void) { return run_cases(); }
