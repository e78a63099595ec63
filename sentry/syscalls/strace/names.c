/*
 * names.c - names of flags and numbers for --strace, by the host's headers: Linux's
 * numbers on x86_64 are the guest's.
 */
#include "syscalls/strace/strace.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <asm/ioctls.h>

struct name {
	uint64_t value;
	const char *name;
};

/* number: the bits in `mask` are one number, whose name is in numbers; the others flags. */
struct names {
	uint64_t mask;
	const struct name *numbers, *flags; /* ended by a NULL name; NULL: none */
	const char *zero; /* how 0 is written when it has no name */
};

#define N(x) { (uint64_t)(uint32_t)(x), #x }
#define LIST(...) (const struct name[]){ __VA_ARGS__, { 0, NULL } }
#define FLAGS(what, ...) const struct names names_##what = { 0, NULL, LIST(__VA_ARGS__), "0" }
#define NUMBERS(what, ...) const struct names names_##what = { UINT64_MAX, LIST(__VA_ARGS__), NULL, "0" }
#define BOTH(what, mask, numbers, ...) const struct names names_##what = { mask, numbers, LIST(__VA_ARGS__), "0" }

BOTH(open, O_ACCMODE, LIST(N(O_RDONLY), N(O_WRONLY), N(O_RDWR)), N(O_CREAT), N(O_EXCL), N(O_NOCTTY), N(O_TRUNC), N(O_APPEND), N(O_NONBLOCK),
	{ 04010000, "O_SYNC" }, N(O_DSYNC), N(O_ASYNC), N(O_DIRECT), { 0100000, "O_LARGEFILE" }, N(O_TMPFILE), N(O_DIRECTORY), N(O_NOFOLLOW), N(O_NOATIME),
	N(O_CLOEXEC), N(O_PATH));
const struct names names_prot = { 0, NULL, LIST(N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), N(PROT_GROWSDOWN), N(PROT_GROWSUP)), "PROT_NONE" };
BOTH(map, 3, LIST(N(MAP_SHARED), N(MAP_PRIVATE), N(MAP_SHARED_VALIDATE)), N(MAP_FIXED), N(MAP_ANONYMOUS), N(MAP_32BIT), N(MAP_GROWSDOWN), N(MAP_DENYWRITE),
	N(MAP_EXECUTABLE), N(MAP_LOCKED), N(MAP_NORESERVE), N(MAP_POPULATE), N(MAP_NONBLOCK), N(MAP_STACK), N(MAP_HUGETLB), N(MAP_FIXED_NOREPLACE));
FLAGS(clone, N(CLONE_VM), N(CLONE_FS), N(CLONE_FILES), N(CLONE_SIGHAND), N(CLONE_PIDFD), N(CLONE_PTRACE), N(CLONE_VFORK), N(CLONE_PARENT), N(CLONE_THREAD),
	N(CLONE_NEWNS), N(CLONE_SYSVSEM), N(CLONE_SETTLS), N(CLONE_PARENT_SETTID), N(CLONE_CHILD_CLEARTID), N(CLONE_DETACHED), N(CLONE_UNTRACED),
	N(CLONE_CHILD_SETTID), N(CLONE_NEWCGROUP), N(CLONE_NEWUTS), N(CLONE_NEWIPC), N(CLONE_NEWUSER), N(CLONE_NEWPID), N(CLONE_NEWNET), N(CLONE_IO));
FLAGS(at, N(AT_SYMLINK_NOFOLLOW), N(AT_REMOVEDIR), N(AT_SYMLINK_FOLLOW), N(AT_NO_AUTOMOUNT), N(AT_EMPTY_PATH), N(AT_STATX_FORCE_SYNC),
	N(AT_STATX_DONT_SYNC), N(AT_RECURSIVE));
const struct names names_access = { 0, NULL, LIST({ 4, "R_OK" }, { 2, "W_OK" }, { 1, "X_OK" }), "F_OK" };
NUMBERS(seek, { 0, "SEEK_SET" }, { 1, "SEEK_CUR" }, { 2, "SEEK_END" }, { 3, "SEEK_DATA" }, { 4, "SEEK_HOLE" });
FLAGS(wait, N(WNOHANG), N(WUNTRACED), N(WEXITED), N(WCONTINUED), N(WNOWAIT), N(__WNOTHREAD), N(__WALL), N(__WCLONE));
NUMBERS(family, N(AF_UNSPEC), N(AF_UNIX), N(AF_INET), N(AF_INET6), N(AF_NETLINK), N(AF_PACKET), N(AF_VSOCK), N(AF_ALG));
BOTH(socket_type, 0xf, LIST(N(SOCK_STREAM), N(SOCK_DGRAM), N(SOCK_RAW), N(SOCK_SEQPACKET)), N(SOCK_CLOEXEC), N(SOCK_NONBLOCK));
FLAGS(msg, N(MSG_OOB), N(MSG_PEEK), N(MSG_DONTROUTE), N(MSG_CTRUNC), N(MSG_TRUNC), N(MSG_DONTWAIT), N(MSG_EOR), N(MSG_WAITALL), N(MSG_CONFIRM),
	N(MSG_ERRQUEUE), N(MSG_NOSIGNAL), N(MSG_MORE), N(MSG_WAITFORONE), N(MSG_CMSG_CLOEXEC));
BOTH(futex, 0x7f, LIST(N(FUTEX_WAIT), N(FUTEX_WAKE), N(FUTEX_REQUEUE), N(FUTEX_CMP_REQUEUE), N(FUTEX_WAKE_OP), N(FUTEX_LOCK_PI), N(FUTEX_UNLOCK_PI),
	N(FUTEX_TRYLOCK_PI), N(FUTEX_WAIT_BITSET), N(FUTEX_WAKE_BITSET), N(FUTEX_WAIT_REQUEUE_PI), N(FUTEX_CMP_REQUEUE_PI), N(FUTEX_LOCK_PI2)),
	N(FUTEX_PRIVATE_FLAG), N(FUTEX_CLOCK_REALTIME));
NUMBERS(clock, N(CLOCK_REALTIME), N(CLOCK_MONOTONIC), N(CLOCK_PROCESS_CPUTIME_ID), N(CLOCK_THREAD_CPUTIME_ID), N(CLOCK_MONOTONIC_RAW), N(CLOCK_REALTIME_COARSE),
	N(CLOCK_MONOTONIC_COARSE), N(CLOCK_BOOTTIME), N(CLOCK_REALTIME_ALARM), N(CLOCK_BOOTTIME_ALARM), N(CLOCK_TAI));
NUMBERS(rlimit, N(RLIMIT_CPU), N(RLIMIT_FSIZE), N(RLIMIT_DATA), N(RLIMIT_STACK), N(RLIMIT_CORE), N(RLIMIT_RSS), N(RLIMIT_NPROC), N(RLIMIT_NOFILE),
	N(RLIMIT_MEMLOCK), N(RLIMIT_AS), N(RLIMIT_LOCKS), N(RLIMIT_SIGPENDING), N(RLIMIT_MSGQUEUE), N(RLIMIT_NICE), N(RLIMIT_RTPRIO), N(RLIMIT_RTTIME));
NUMBERS(fcntl, N(F_DUPFD), N(F_GETFD), N(F_SETFD), N(F_GETFL), N(F_SETFL), N(F_GETLK), N(F_SETLK), N(F_SETLKW), N(F_SETOWN), N(F_GETOWN), N(F_SETSIG),
	N(F_GETSIG), N(F_SETOWN_EX), N(F_GETOWN_EX), N(F_OFD_GETLK), N(F_OFD_SETLK), N(F_OFD_SETLKW), N(F_SETLEASE), N(F_GETLEASE), N(F_NOTIFY),
	N(F_DUPFD_CLOEXEC), N(F_SETPIPE_SZ), N(F_GETPIPE_SZ), N(F_ADD_SEALS), N(F_GET_SEALS));
NUMBERS(madvise, N(MADV_NORMAL), N(MADV_RANDOM), N(MADV_SEQUENTIAL), N(MADV_WILLNEED), N(MADV_DONTNEED), N(MADV_FREE), N(MADV_REMOVE), N(MADV_DONTFORK),
	N(MADV_DOFORK), N(MADV_HUGEPAGE), N(MADV_NOHUGEPAGE), N(MADV_DONTDUMP), N(MADV_DODUMP), N(MADV_WIPEONFORK), N(MADV_COLD), N(MADV_PAGEOUT));
NUMBERS(sigprocmask, N(SIG_BLOCK), N(SIG_UNBLOCK), N(SIG_SETMASK));
FLAGS(sigaction, N(SA_NOCLDSTOP), N(SA_NOCLDWAIT), N(SA_SIGINFO), { 0x04000000, "SA_RESTORER" }, N(SA_ONSTACK), N(SA_RESTART), N(SA_NODEFER), N(SA_RESETHAND));
FLAGS(epoll, N(EPOLLIN), N(EPOLLPRI), N(EPOLLOUT), N(EPOLLERR), N(EPOLLHUP), N(EPOLLRDNORM), N(EPOLLRDBAND), N(EPOLLWRNORM), N(EPOLLRDHUP), N(EPOLLEXCLUSIVE),
	N(EPOLLWAKEUP), N(EPOLLONESHOT), N(EPOLLET));
NUMBERS(epoll_op, N(EPOLL_CTL_ADD), N(EPOLL_CTL_DEL), N(EPOLL_CTL_MOD));
FLAGS(poll, N(POLLIN), N(POLLPRI), N(POLLOUT), N(POLLERR), N(POLLHUP), N(POLLNVAL), N(POLLRDNORM), N(POLLRDBAND), N(POLLWRNORM), N(POLLRDHUP));
FLAGS(mremap, N(MREMAP_MAYMOVE), N(MREMAP_FIXED), { 4, "MREMAP_DONTUNMAP" });
NUMBERS(shutdown, N(SHUT_RD), N(SHUT_WR), N(SHUT_RDWR));
NUMBERS(level, { 0, "SOL_IP" }, N(SOL_SOCKET), { 6, "SOL_TCP" }, { 17, "SOL_UDP" }, { 41, "SOL_IPV6" }, { 270, "SOL_NETLINK" });
NUMBERS(ioctl, N(TCGETS), N(TCSETS), N(TCSETSW), N(TCSETSF), N(TIOCGPGRP), N(TIOCSPGRP), N(TIOCGWINSZ), N(TIOCSWINSZ), N(TIOCSCTTY), N(TIOCNOTTY), N(FIONREAD),
	N(FIONBIO), N(FIOASYNC), N(FIOCLEX), N(FIONCLEX), N(TIOCGPTN), N(TIOCSPTLCK), N(TCXONC), N(TCFLSH));
NUMBERS(prctl, N(PR_SET_PDEATHSIG), N(PR_GET_PDEATHSIG), N(PR_GET_DUMPABLE), N(PR_SET_DUMPABLE), N(PR_SET_KEEPCAPS), N(PR_SET_NAME), N(PR_GET_NAME),
	N(PR_SET_SECCOMP), N(PR_CAPBSET_READ), N(PR_CAPBSET_DROP), N(PR_SET_SECUREBITS), N(PR_SET_TIMERSLACK), N(PR_SET_NO_NEW_PRIVS),
	N(PR_GET_NO_NEW_PRIVS), N(PR_SET_CHILD_SUBREAPER), N(PR_CAP_AMBIENT), N(PR_SET_MM), N(PR_SET_VMA));
NUMBERS(arch, N(ARCH_SET_GS), N(ARCH_SET_FS), N(ARCH_GET_FS), N(ARCH_GET_GS));
FLAGS(mount, N(MS_RDONLY), N(MS_NOSUID), N(MS_NODEV), N(MS_NOEXEC), N(MS_REMOUNT), N(MS_NOATIME), N(MS_BIND), N(MS_MOVE), N(MS_REC), N(MS_PRIVATE), N(MS_SLAVE),
	N(MS_SHARED), N(MS_RELATIME), N(MS_STRICTATIME));
FLAGS(umount, N(MNT_FORCE), N(MNT_DETACH), N(MNT_EXPIRE), N(UMOUNT_NOFOLLOW));

void names_put(struct strace_line *l, const struct names *n, uint64_t v)
{
	const char *between = "";
	const struct name *i;

	for (i = n->numbers; i && i->name; i++) {
		if (i->value != (v & n->mask))
			continue;
		line_put(l, "%s", i->name);
		v &= ~n->mask;
		between = "|";
		break;
	}
	for (i = n->flags; i && i->name; i++) {
		if (!i->value || (v & i->value) != i->value)
			continue;
		line_put(l, "%s%s", between, i->name);
		v &= ~i->value;
		between = "|";
	}
	if (v)
		line_put(l, "%s0x%" PRIx64, between, v);
	else if (!*between)
		line_put(l, "%s", n->zero);
}

void line_signal(struct strace_line *l, int signo)
{
	const char *name = sigabbrev_np(signo);

	if (name)
		line_put(l, "SIG%s", name);
	else if (signo >= 32 && signo <= 64)
		line_put(l, "SIGRT_%d", signo - 32);
	else
		line_put(l, "%d", signo);
}

/* Those of calls that are begun again are Linux's own, and strace's too. */
void line_errno(struct strace_line *l, int64_t e)
{
	static const struct name own[] = {
		{ 512, "ERESTARTSYS (To be restarted if SA_RESTART is set)" }, { 513, "ERESTARTNOINTR (To be restarted)" },
		{ 514, "ERESTARTNOHAND (To be restarted if no handler)" }, { 516, "ERESTART_RESTARTBLOCK (Interrupted by signal)" },
	};
	const char *name = strerrorname_np((int)-e);

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i].value == (uint64_t)-e) {
			line_put(l, ") = ? %s", own[i].name);
			return;
		}
	line_put(l, ") = -1 %s (%s)", name ? name : "?", strerrordesc_np((int)-e) ? : "unknown");
}
