/*
 * others.c - what a process may change of another: its priority, scheduling, CPUs and limits.
 * No test here needs a capability that a container's root lacks.
 */
#include "../target.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static void set_caps(uint32_t caps)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { caps, caps, 0 } };

	CHECK(syscall(SYS_capset, &h, d) == 0);
}

/* CAP_CHOWN and CAP_KILL, which every container's root has */
static void two_caps(void) { set_caps(1 | 1 << 5); }
static void no_caps(void) { set_caps(0); }

static void user_1000(void)
{
	CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
}

static void user_1001(void)
{
	CHECK(setresgid(1001, 1001, 1001) == 0 && setresuid(1001, 1001, 1001) == 0);
}

/* In a user namespace that user 1000 made. */
static void in_own_namespace(void)
{
	user_1000();
	CHECK(unshare(CLONE_NEWUSER) == 0);
}

static void effective_1000(void)
{
	CHECK(setresgid(0, 1000, 0) == 0 && setresuid(0, 1000, 0) == 0);
	no_caps();
}

/* One that has become `by` gets these errnos (0: none) when it changes p. */
static void changes(void (*by)(void), pid_t p, int scheduling, int limits)
{
	struct sched_param none = { 0 };
	struct rlimit l;
	cpu_set_t set;
	int st;
	pid_t q = fork();

	CHECK(q >= 0);
	if (!q) {
		CHECK(sched_getaffinity(0, sizeof(set), &set) == 0);
		by();
		CHECK_ANSWER(sched_setaffinity(p, sizeof(set), &set), scheduling);
		CHECK_ANSWER(sched_setscheduler(p, SCHED_BATCH, &none), scheduling);
		CHECK_ANSWER(setpriority(PRIO_PROCESS, (id_t)p, 5), scheduling);
		CHECK_ANSWER(prlimit(p, RLIMIT_NOFILE, NULL, &l), limits);
		if (!limits)
			l.rlim_cur--;
		CHECK_ANSWER(prlimit(p, RLIMIT_NOFILE, &l, NULL), limits);
		_exit(0);
	}
	CHECK(waitpid(q, &st, 0) == q && st == 0);
	CHECK(getpriority(PRIO_PROCESS, (id_t)p) == (scheduling ? 0 : 5));
	CHECK(kill(p, SIGKILL) == 0 && waitpid(p, &st, 0) == p);
}

CASE(same_user_may) { changes(user_1000, target(user_1000), 0, 0); }
CASE(another_user_may_not) { changes(user_1000, target(user_1001), EPERM, EPERM); }
CASE(with_more_capabilities_may) { changes(two_caps, target(no_caps), 0, 0); }
CASE(not_the_scheduling_of_more_capabilities) { changes(no_caps, target(two_caps), EPERM, 0); }
CASE(maker_of_a_namespace_may) { changes(effective_1000, target(in_own_namespace), 0, 0); }
CASE(limits_go_by_the_real_ids) { changes(effective_1000, target(user_1000), 0, EPERM); }

int main(void) { return run_cases(); }
