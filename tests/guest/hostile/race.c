/*
 * race.c - programs that race what a sandbox does for them: its words about them are
 * overwritten while mappings change, threads begin, signals come and other programs are
 * executed.  On Linux there is nothing to overwrite.  A program may harm itself;
 * what it leaves behind must not reach the next one.
 */
#include "attack.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define SLOTS_LOOKED 256u
#define MAGIC 0x9e3779b97f4a7c15ul /* odd: what is multiplied by it can be divided again */

static void fill(uint64_t at, uint64_t value)
{
	for (uint64_t *p = (uint64_t *)at; (uint64_t)p < at + 4096; p++)
		*(volatile uint64_t *)p = value;
}

static void catch_faults(void)
{
	struct sigaction sa = { .sa_handler = on_segv, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

/* --- what a mapping's change looks at ------------------------------------------------- */

static void *forge_scratch(void *arg)
{
	uint64_t seed = 1 + *(uint64_t *)arg;
	static const uint64_t values[] = { 0, 1, UINT64_MAX, ORDERS, SLOTS, TEXT, SCRATCH, 0x4141414141414141 };

	for (;;)
		for (uint64_t page = SCRATCH; page < SCRATCH_END; page += 4096)
			tried(fill, page, values[random64(&seed) % 8]);
	return NULL;
}

/* A page of a file, mapped, touched, protected, unmapped, over and over. */
static void *map_files(void *arg)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	for (;;) {
		volatile char *m = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 0);

		if (m == MAP_FAILED)
			continue;
		if (!sigsetjmp(skip, 1) && (m[0] != 0x7f || m[1] != 'E'))
			_exit(9); /* not the file's */
		mprotect((void *)m, 4096, PROT_NONE);
		munmap((void *)m, 8192);
	}
	return arg;
}

static void race_mappings(uint64_t threads)
{
	static uint64_t numbers[8];
	pthread_t t;

	catch_faults();
	for (uint64_t i = 0; i < threads; i++) {
		numbers[i] = i;
		pthread_create(&t, NULL, forge_scratch, &numbers[i]);
	}
	map_files(NULL);
}

CASE(forging_while_mappings_change)
{
	for (uint64_t n = 0; n < 4; n++) {
		int st = attack_for(150, race_mappings, n);

		CHECK(!WIFEXITED(st) || WEXITSTATUS(st) != 9 || n > 0);
	}
	CHECK(getppid() > 0);
}

/* --- mappings that change under those who use them --------------------------------------- */

static char *area;

static void touch(uint64_t at, uint64_t value) { *(volatile uint64_t *)at = value; }

static void *use_area(void *arg)
{
	uint64_t seed = (uintptr_t)&seed;

	for (;;) {
		tried(touch, (uintptr_t)area + random64(&seed) % 64 * 4096, seed);
		syscall(SYS_getppid);
	}
	return arg;
}

static void *change_area(void *arg)
{
	uint64_t seed = 99 + (uintptr_t)&seed;

	for (;;) {
		char *at = area + random64(&seed) % 64 * 4096, *to = area + random64(&seed) % 64 * 4096;

		switch (random64(&seed) % 5) {
		case 0: mmap(at, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); break;
		case 1: munmap(at, 4096); break;
		case 2: mprotect(at, 12288, random64(&seed) % 4); break;
		case 3: mremap(at, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, to); break;
		default: madvise(at, 4096, MADV_DONTNEED); break;
		}
	}
	return arg;
}

static void race_area(uint64_t forks)
{
	pthread_t t;

	catch_faults();
	area = mmap(NULL, 66 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 3; i++) {
		pthread_create(&t, NULL, use_area, NULL);
		pthread_create(&t, NULL, change_area, NULL);
	}
	for (;;) {
		pid_t p = forks ? fork() : 0;

		if (forks && !p)
			_exit(0);
		if (forks)
			waitpid(p, NULL, 0);
	}
}

CASE(mappings_change_under_their_users)
{
	for (uint64_t i = 0; i < 4; i++) {
		int st = attack_for(200, race_area, i & 1);

		CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGALRM); /* nobody was harmed */
	}
}

/* --- another program after one that lied ---------------------------------------------------- */

static void *forge_slots(void *arg)
{
	for (uint64_t i = 0;; i++)
		tried(fill, SLOTS + i % 64 * SLOT_SIZE, i);
	return arg;
}

static void exec_while_forging(uint64_t threads)
{
	pthread_t t;

	catch_faults();
	while (threads--)
		pthread_create(&t, NULL, forge_slots, NULL);
	execl("/proc/self/exe", "race", "after", NULL);
	_exit(8);
}

/* What main does when executed anew: a program like any other. */
static int after_exec(void)
{
	volatile double x = 1.5;
	int st;
	pid_t p;

	for (int i = 0; i < 1000; i++)
		if (syscall(SYS_getppid) <= 0 || (x = x * 1.0) != 1.5)
			return 1;
	p = fork();
	if (!p)
		_exit(3);
	return waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 3 ? 42 : 2;
}

CASE(execution_after_forging)
{
	for (uint64_t i = 0; i < 12; i++) {
		int st = attack_for(20000, exec_while_forging, i % 3);

		CHECK(WIFSIGNALED(st) || WEXITSTATUS(st) == 42 || (i % 3 && WEXITSTATUS(st) == 8));
		CHECK(i % 3 || WIFEXITED(st));
	}
}

/* --- what the one before has left ------------------------------------------------------------- */

static void *leave(void *arg)
{
	volatile uint64_t key = (uintptr_t)arg;
	uint64_t secret = key * MAGIC;

	for (uint64_t i = 0; i < SLOTS_LOOKED; i++)
		for (uint64_t page = 0x4000; page < SLOT_SIZE; page += 4096) /* where nothing of use is */
			if (!tried(fill, SLOTS + i * SLOT_SIZE + page, secret))
				break;
	for (uint64_t page = SCRATCH; page < SCRATCH_END; page += 4096)
		tried(fill, page, secret);
	__asm__ volatile("movq %0, %%xmm9\n movq %0, %%xmm13\n mov %0, %%r13\n mov $110, %%eax\n syscall" /* getppid */
			 :
			 : "r"(secret)
			 : "rax", "rcx", "r11", "r13", "xmm9", "xmm13", "memory");
	return NULL;
}

static void leave_secrets(uint64_t key)
{
	pthread_t t[3];

	catch_faults();
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, leave, (void *)key);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	leave((void *)key);
}

static void look_for(uint64_t at, uint64_t key)
{
	for (uint64_t *p = (uint64_t *)at; (uint64_t)p < at + 4096; p++)
		if (*(volatile uint64_t *)p && *(volatile uint64_t *)p == key * MAGIC)
			_exit(7);
}

static void look_around(uint64_t key)
{
	volatile uint64_t k = key;

	catch_faults();
	for (uint64_t i = 0; i < SLOTS_LOOKED; i++)
		for (uint64_t page = 0x4000; page < SLOT_SIZE; page += 4096)
			if (!tried(look_for, SLOTS + i * SLOT_SIZE + page, k))
				break;
	for (uint64_t page = SCRATCH; page < SCRATCH_END; page += 4096)
		tried(look_for, page, k);
}

CASE(nothing_is_left_for_the_next)
{
	for (uint64_t key = 1; key < 12; key++) {
		attack_for(20000, leave_secrets, key << 20 | 0x12345);
		for (int i = 0; i < 3; i++) {
			int st = attack_for(20000, look_around, key << 20 | 0x12345);

			CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0);
		}
	}
}

int main(int argc, char **argv)
{
	return argc > 1 && !strcmp(argv[1], "after") ? after_exec() : run_cases();
}
