/*
 * names.c - see names.h.  Constant tables and pure functions.
 */
#include "names.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(A) (sizeof(A) / sizeof((A)[0]))
#define RTMIN_ABI 32 /* the kernel's; libc keeps the first two for itself */
#define SIGNAL_MAX 64

static const char *const capabilities[CAPABILITY_COUNT] = {
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
	"NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
	"SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
	"LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND",
	"AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
};

static const char *const rlimits[] = {
	"CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE",
	"NICE", "RTPRIO", "RTTIME",
};

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", 1 }, { "INT", 2 }, { "QUIT", 3 }, { "ILL", 4 }, { "TRAP", 5 }, { "ABRT", 6 }, { "IOT", 6 }, { "BUS", 7 }, { "FPE", 8 },
	{ "KILL", 9 }, { "USR1", 10 }, { "SEGV", 11 }, { "USR2", 12 }, { "PIPE", 13 }, { "ALRM", 14 }, { "TERM", 15 }, { "STKFLT", 16 },
	{ "CHLD", 17 }, { "CLD", 17 }, { "CONT", 18 }, { "STOP", 19 }, { "TSTP", 20 }, { "TTIN", 21 }, { "TTOU", 22 }, { "URG", 23 },
	{ "XCPU", 24 }, { "XFSZ", 25 }, { "VTALRM", 26 }, { "PROF", 27 }, { "WINCH", 28 }, { "IO", 29 }, { "POLL", 29 }, { "PWR", 30 },
	{ "SYS", 31 },
};

static int find(const char *const *names, size_t n, const char *prefix, const char *name)
{
	if (!strncasecmp(name, prefix, strlen(prefix)))
		name += strlen(prefix);
	for (size_t i = 0; i < n; i++) {
		if (!strcasecmp(names[i], name))
			return (int)i;
	}
	return -1;
}

int capability_number(const char *name)
{
	return find(capabilities, COUNT(capabilities), "CAP_", name);
}

int rlimit_number(const char *name)
{
	return strncmp(name, "RLIMIT_", 7) ? -1 : find(rlimits, COUNT(rlimits), "RLIMIT_", name);
}

int sched_policy_number(const char *name)
{
	static const char *const policies[] = { "OTHER", "FIFO", "RR", "BATCH", "ISO", "IDLE" };
	int n = strncmp(name, "SCHED_", 6) ? -1 : find(policies, COUNT(policies), "SCHED_", name);

	return n == 4 ? -1 : n; /* never implemented by Linux */
}

/* The decimal number of up to two digits that text is, or -1. */
static int small_number(const char *text)
{
	int n = 0;

	if (!text[0] || strlen(text) > 2)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (*text - '0');
	}
	return n;
}

static int realtime_number(const char *name)
{
	bool from_max = !strncasecmp(name, "RTMAX", 5);
	int base = from_max ? SIGNAL_MAX : RTMIN_ABI + 2, n = 0; /* as glibc counts */

	if (!from_max && strncasecmp(name, "RTMIN", 5))
		return -1;
	name += 5;
	if (*name) {
		if (*name != (from_max ? '-' : '+') || (n = small_number(name + 1)) < 0)
			return -1;
		n = from_max ? base - n : base + n;
	} else {
		n = base;
	}
	return n >= RTMIN_ABI + 2 && n <= SIGNAL_MAX ? n : -1;
}

int signal_number(const char *name)
{
	int n = small_number(name);

	if (n >= 0)
		return n >= 1 && n <= SIGNAL_MAX ? n : -1;
	if (!strncasecmp(name, "SIG", 3))
		name += 3;
	for (size_t i = 0; i < COUNT(signals); i++) {
		if (!strcasecmp(signals[i].name, name))
			return signals[i].number;
	}
	return realtime_number(name);
}

const char *capability_name(int n)
{
	return capabilities[n];
}
