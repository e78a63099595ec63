/*
 * access.c - which process may look into another: by /proc, which goes by the file
 * system ids and the effective capabilities, and by the calls (ptrace,
 * process_vm_readv, get_robust_list, pidfd_getfd, kcmp), which go by the real ids
 * and the permitted ones.
 */
#include "../target.h"
#include "trace.h"

#include <linux/capability.h>
#include <linux/kcmp.h>
#include <sys/prctl.h>

static uint64_t secret = 0x1234;

static void set_caps(uint32_t effective, uint32_t permitted)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { effective, permitted, 0 } };

	CHECK(syscall(SYS_capset, &h, d) == 0);
}

static void no_caps(void) { set_caps(0, 0); }

static void be_user(uid_t uid)
{
	CHECK(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* a change of ids clears it */
}

static void user_1000(void) { be_user(1000); }
static void user_1001(void) { be_user(1001); }

static void user_1000_undumpable(void)
{
	be_user(1000);
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
}

/* CAP_CHOWN and CAP_KILL, which every container's root has */
static void root_of_two_caps(void) { set_caps(1 | 1 << 5, 1 | 1 << 5); }
static void root_permitted_only(void) { set_caps(0, 1 | 1 << 5); }

/* Real ids 1000; effective, and so the file system's, 0. */
static void real_1000(void)
{
	CHECK(setresgid(1000, 0, 0) == 0 && setresuid(1000, 0, 0) == 0);
	no_caps();
}

/* Real ids 0, effective 1000: nobody's. */
static void effective_1000(void)
{
	CHECK(setresgid(0, 1000, 0) == 0 && setresuid(0, 1000, 0) == 0);
	no_caps();
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
}

/* What the calls that only look into p say: all by one rule. */
static void calls_look(pid_t p, int pidfd, int err)
{
	void *head;
	size_t len = 0;

	CHECK_ANSWER(syscall(SYS_get_robust_list, p, &head, &len), err);
	CHECK(err || len == 24);
	CHECK_ANSWER(syscall(SYS_pidfd_getfd, pidfd, 1, 0), err);
	CHECK_ERR(syscall(SYS_pidfd_getfd, pidfd, 999, 0), err ? err : EBADF);
	CHECK_ANSWER(syscall(SYS_kcmp, getpid(), p, KCMP_VM, 0, 0), err);
	CHECK_ANSWER(syscall(SYS_kcmp, p, getpid(), KCMP_FILES, 0, 0), err);
	CHECK_ERR(syscall(SYS_kcmp, p, p, 99, 0, 0), err ? err : EINVAL);
}

/* One that has become `looker` gets these errnos (0: none) when it looks into p. */
static void looks(void (*looker)(void), pid_t p, int by_proc, int by_memory)
{
	int pidfd = (int)syscall(SYS_pidfd_open, p, 0);
	pid_t q = fork();

	CHECK(q >= 0 && pidfd >= 0);
	if (!q) {
		uint64_t got = 0;
		struct iovec local = { &got, 8 }, remote = { &secret, 8 };
		char path[40], link[256];

		looker();
		snprintf(path, sizeof(path), "/proc/%d/cwd", p);
		if (by_proc)
			CHECK_ERR(readlink(path, link, sizeof(link)), by_proc);
		else
			CHECK(readlink(path, link, sizeof(link)) > 0);
		calls_look(p, pidfd, by_memory);
		if (by_memory) {
			CHECK_ERR(process_vm_readv(p, &local, 1, &remote, 1, 0), by_memory);
			CHECK_ERR(ask(PTRACE_ATTACH, p, 0, 0), by_memory);
		} else {
			CHECK(process_vm_readv(p, &local, 1, &remote, 1, 0) == 8 && got == secret);
			CHECK(ask(PTRACE_ATTACH, p, 0, 0) == 0 && stopped_by(told(p), SIGSTOP));
			CHECK(ask(PTRACE_DETACH, p, 0, 0) == 0);
		}
		_exit(0);
	}
	CHECK(exited(told(q), 0));
	kill(p, SIGKILL);
	CHECK(WIFSIGNALED(told(p)));
	close(pidfd);
}

CASE(same_user_may) { looks(user_1000, target(user_1000), 0, 0); }
CASE(another_user_may_not) { looks(user_1000, target(user_1001), EACCES, EPERM); }
CASE(not_into_what_is_not_dumpable) { looks(user_1000, target(user_1000_undumpable), EACCES, EPERM); }
CASE(same_capabilities_may) { looks(root_of_two_caps, target(root_of_two_caps), 0, 0); }
CASE(not_into_more_capabilities) { looks(no_caps, target(root_of_two_caps), EACCES, EPERM); }
CASE(permitted_count_for_memory_effective_for_proc) { looks(root_permitted_only, target(root_of_two_caps), EACCES, 0); }
CASE(real_ids_count_for_memory_those_of_files_for_proc) { looks(real_1000, target(user_1000), EACCES, 0); }
CASE(effective_ids_alone_are_not_enough) { looks(effective_1000, target(user_1000), 0, EPERM); }
CASE(all_three_ids_of_the_other_count) { looks(user_1000, target(real_1000), EACCES, EPERM); }

#ifndef CLONE_NEWUSER
#define CLONE_NEWUSER 0x10000000
#endif

/* In a user namespace of its own maker's, not dumpable: its program was started outside, and only capabilities there open it. */
static void undumpable_in_namespace(void)
{
	be_user(1000);
	CHECK(syscall(SYS_unshare, CLONE_NEWUSER) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
}

CASE(making_its_namespace_does_not_open_what_is_not_dumpable) { looks(user_1000, target(undumpable_in_namespace), EACCES, EPERM); }

int main(void) { return run_cases(); }
