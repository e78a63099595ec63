/*
 * guest_calls.c - random system calls with hostile arguments, for the inside of
 * a sandbox only (never run it natively: it would do to the host what it asks
 * for).  The sandbox must live: the program prints "survived" at its end.
 *
 * Usage: guest_calls SEED CHILDREN CALLS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t state;
static char *arena; /* 64 pages, some unmapped or read-only */
static pid_t top;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static const char *const names[] = { "/", ".", "..", "a", "b", "/tmp", "/proc/self/mem", "/proc/self/maps", "/dev/null", "/dev/zero", "/dev/ptmx", "/dev/full",
	"/proc/self/fd/0", "/etc/passwd", "/nosuch/x", "", "////a//../b", "a/b/c/d", "/proc/self/exe", "/dev/shm/x", "/proc/self/status", "/sys" };

static uint64_t number(void)
{
	static const uint64_t special[] = { 0, 1, 2, 3, 4, 7, 8, 16, 255, 256, 4095, 4096, 4097, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff,
		0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff, 0xfffffffffffff000, 0x7ffff000, 0x7fff00000000, 0x7fffe0000000,
		0xffffffffff600000 };

	switch (rnd() % 4) {
	case 0: return rnd() % 64;
	case 1: return special[rnd() % (sizeof(special) / sizeof(*special))];
	case 2: return UINT64_C(1) << rnd() % 64;
	default: return rnd() >> rnd() % 64;
	}
}

static uint64_t pointer(void)
{
	char *p = arena + rnd() % (64 * 4096);

	switch (rnd() % 8) {
	case 0: return number();
	case 1: return (uint64_t)(arena + (rnd() % 64 + 1) * 4096 - rnd() % 16);
	case 2: case 3: { /* a name */
		const char *n = names[rnd() % (sizeof(names) / sizeof(*names))];

		p = arena + rnd() % 60 * 4096 + rnd() % 2048;
		if ((uintptr_t)(p - arena) / 4096 % 8 < 6)
			strcpy(p, n);
		return (uint64_t)p;
	}
	case 4: { /* a small structure of numbers and pointers */
		uint64_t *q = (uint64_t *)(arena + rnd() % 6 * 4096 + (rnd() % 256) * 8);

		for (int i = 0; i < 8; i++)
			q[i] = rnd() % 3 ? number() : (uint64_t)(arena + rnd() % (64 * 4096));
		return (uint64_t)q;
	}
	default: return (uint64_t)p;
	}
}

static uint64_t argument(void)
{
	switch (rnd() % 3) {
	case 0: return rnd() % 24; /* a descriptor, a small number */
	case 1: return pointer();
	default: return number();
	}
}

static int skipped(long nr)
{
	/* what would end or stop the test itself */
	static const long list[] = { SYS_exit, SYS_exit_group, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pause,
		SYS_rt_sigsuspend, SYS_vfork, SYS_fork, SYS_clone, SYS_clone3, SYS_rt_sigreturn, SYS_alarm, SYS_setitimer, SYS_reboot, SYS_pidfd_send_signal,
		SYS_munmap, SYS_execve, SYS_execveat, SYS_ptrace, SYS_setsid };

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		if (list[i] == nr)
			return 1;
	return 0;
}

static void open_things(void)
{
	int sv[2], p[2];

	for (int fd = 3; fd < 24; fd++)
		close(fd);
	(void)!pipe(p);
	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
	epoll_create1(0);
	eventfd(3, EFD_NONBLOCK);
	open("/tmp", O_RDONLY);
	open("/tmp/fuzzfile", O_RDWR | O_CREAT, 0644);
	open("/proc/self", O_RDONLY | O_DIRECTORY);
	open("/dev/ptmx", O_RDWR | O_NOCTTY);
	socket(AF_INET, SOCK_STREAM, 0);
	memfd_create("m", MFD_ALLOW_SEALING);
	for (int fd = 3; fd < 24; fd++)
		fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void calls(long n)
{
	for (long i = 0; i < n; i++) {
		long nr = (long)(rnd() % 462);

		if (i % 500 == 0)
			open_things();
		if (skipped(nr))
			continue;
		if (nr == SYS_mmap || nr == SYS_mremap || nr == SYS_mprotect || nr == SYS_brk || nr == SYS_remap_file_pages || nr == SYS_shmat)
			/* only inside the arena, so that the program itself stays */
			syscall(nr, nr == SYS_brk ? 0 : (uint64_t)(arena + rnd() % 64 * 4096), rnd() % 9 * 4096, argument() & 7, nr == SYS_mremap ? 1 : argument(), rnd() % 24,
				rnd() % 64 * 4096);
		else
			syscall(nr, argument(), argument(), argument(), argument(), argument(), argument());
	}
}

static void *second(void *arg)
{
	calls((long)arg);
	return NULL;
}

static void child(uint64_t seed, long n)
{
	pthread_t t;

	state = seed * 0x9e3779b97f4a7c15u + 1;
	for (int s = 1; s < 32; s++)
		if (s != SIGALRM && s != SIGSEGV && s != SIGBUS)
			signal(s, SIG_IGN);
	alarm(4); /* blocked for ever in some call */
	arena = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 6; i < 64; i += 8) {
		mprotect(arena + i * 4096, 4096, PROT_NONE);
		mprotect(arena + (i + 1) * 4096, 4096, PROT_READ);
	}
	if (seed % 4 == 0)
		pthread_create(&t, NULL, second, (void *)n);
	calls(n);
	_exit(0);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	long children = argc > 2 ? atol(argv[2]) : 10, n = argc > 3 ? atol(argv[3]) : 2000;

	top = getpid();
	if (access("/proc/version", R_OK) || strncmp((char[]){ 0 }, "", 1))
		return 2;
	for (long i = 0; i < children; i++) {
		pid_t p = fork();
		int st;

		if (!p)
			child(seed + (uint64_t)i, n);
		while (waitpid(p, &st, 0) < 0 && errno == EINTR)
			;
	}
	printf("survived\n");
	return 0;
}
