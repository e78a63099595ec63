/*
 * platform_case.h - what the tests of the platform interface share: small programs
 * written in assembly (the blob below, copied into a memory file and mapped), a
 * process or several threads that run them, our child processes.
 * Each case runs on each platform (or on the one that REDOUBT_PLATFORM names).
 */
#ifndef TESTS_UNIT_PLATFORM_CASE_H
#define TESTS_UNIT_PLATFORM_CASE_H

#include "platform/platform.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Each program begins at a label; data lies at DATA. */
#define CODE 0x10000ul
#define DATA 0x20000ul
__asm__(".section .rodata\n.balign 4096\n"
	"blob:\n"
	"blob_getppid: mov $110, %eax\n syscall\n jmp blob_getppid\n"
	"blob_spin: jmp blob_spin\n"
	"blob_count: lock incq (%rdi)\n jmp blob_count\n"
	"blob_load: mov (%rdi), %rax\n mov $1, %ebx\n mov $39, %eax\n syscall\n"
	"blob_store: mov %rsi, (%rdi)\n mov $39, %eax\n syscall\n"
	"blob_int3: int3\n mov $39, %eax\n syscall\n"
	"blob_ud2: ud2\n"
	"blob_div: xor %ecx, %ecx\n mov $1, %eax\n cltd\n idiv %ecx\n"
	"blob_int80: mov $20, %eax\n int $0x80\n mov $39, %eax\n syscall\n"
	"blob_vsyscall: mov $0xffffffffff600400, %rax\n call *%rax\n mov $39, %eax\n syscall\n"
	"blob_gp: mov $0x8000000000000000, %rax\n mov (%rax), %rax\n"
	"blob_fp: movq %xmm1, %rax\n movq %rdi, %xmm1\n mov $39, %eax\n syscall\n jmp blob_fp\n"
	"blob_fs: mov %fs:0, %rdi\n mov $39, %eax\n syscall\n"
	"blob_watch: mov (%rdi), %rax\n test %rax, %rax\n jz blob_watch\n mov $39, %eax\n syscall\n jmp blob_watch\n"
	"blob_end:\n.previous\n");
extern const char blob[], blob_getppid[], blob_spin[], blob_count[], blob_load[], blob_store[], blob_int3[], blob_ud2[], blob_div[], blob_int80[],
	blob_vsyscall[], blob_gp[], blob_fp[], blob_fs[], blob_watch[], blob_end[];
#define AT(label) (CODE + (uint64_t)((label)-blob))

static int mem_fd;
static uint8_t *mem;
static struct platform *plat;

static const char *which; /* the platform under test */

static inline void setup(void)
{
	struct err *e;

	mem_fd = memfd_create("mem", MFD_CLOEXEC);
	ck_assert(mem_fd >= 0 && !ftruncate(mem_fd, 1 << 20));
	mem = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, mem_fd, 0);
	memcpy(mem, blob, (size_t)(blob_end - blob));
	e = platform_new(which, mem_fd, &plat);
	ck_assert_msg(!e, "%s", e ? err_text(e) : "");
}

static inline void setup_ptrace(void)
{
	which = "ptrace";
	setup();
}

static inline void setup_systrap(void)
{
	which = "systrap";
	setup();
}

struct guest {
	struct platform_as *as;
	struct platform_ctx *c;
	struct regs r;
	struct platform_trap t;
};

/* Code, and one page of data at file offset data_off. */
static inline struct platform_as *new_as(uint64_t data_off)
{
	struct platform_as *as = platform_as_new(plat);

	ck_assert_ptr_nonnull(as);
	ck_assert_int_eq(platform_as_map(as, CODE, 4096, PROT_READ | PROT_EXEC, mem_fd, 0), 0);
	ck_assert_int_eq(platform_as_map(as, DATA, 4096, PROT_READ | PROT_WRITE, mem_fd, data_off), 0);
	return as;
}

static inline void guest_new(struct guest *g, const char *entry)
{
	memset(g, 0, sizeof(*g));
	g->as = new_as(4096);
	g->c = platform_ctx_new(plat, g->as);
	platform_ctx_bind(g->c);
	regs_exec(&g->r, AT(entry), DATA + 4096);
}

static inline void guest_free(struct guest *g)
{
	platform_ctx_free(g->c);
	platform_as_free(g->as);
}

static inline enum platform_event run(struct guest *g)
{
	return platform_switch(g->c, g->as, &g->r, &g->t);
}

/* --- several host threads ------------------------------------------------------- */

struct worker {
	pthread_t thread;
	struct platform_as *as;
	pthread_mutex_t mu; /* c is freed, or interrupted */
	struct platform_ctx *c; /* NULL when the worker is at its end */
	const char *entry;
	uint64_t rdi;
	_Atomic int events[8];
	_Atomic bool stop;
	_Atomic enum platform_event last;
};

static inline void *worker_main(void *arg)
{
	struct worker *w = arg;
	enum platform_event event;
	struct platform_trap t;
	struct regs r;

	platform_ctx_bind(w->c);
	regs_exec(&r, AT(w->entry), DATA + 4096);
	r.rdi = w->rdi;
	while (!atomic_load(&w->stop)) {
		event = platform_switch(w->c, w->as, &r, &t);
		w->last = event;
		atomic_fetch_add(&w->events[event], 1);
		if (event == PLATFORM_DEAD || event == PLATFORM_FAULT)
			break;
	}
	pthread_mutex_lock(&w->mu);
	platform_ctx_free(w->c);
	w->c = NULL;
	pthread_mutex_unlock(&w->mu);
	return NULL;
}

static inline void worker_start(struct worker *w, struct platform_as *as, const char *entry, uint64_t rdi)
{
	memset(w, 0, sizeof(*w));
	pthread_mutex_init(&w->mu, NULL);
	w->as = as;
	w->entry = entry;
	w->rdi = rdi;
	w->c = platform_ctx_new(plat, as);
	ck_assert_ptr_nonnull(w->c);
	pthread_create(&w->thread, NULL, worker_main, w);
}

static inline void worker_stop(struct worker *w)
{
	atomic_store(&w->stop, true);
	pthread_mutex_lock(&w->mu);
	if (w->c)
		platform_interrupt(w->c);
	pthread_mutex_unlock(&w->mu);
	pthread_join(w->thread, NULL);
}

static inline void msleep(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, (ms % 1000) * 1000000 }, NULL);
}

/* Calls fn for each of our processes, the oldest first. */
static inline void for_each_child(void (*fn)(pid_t pid, void *arg), void *arg)
{
	char path[64], buf[32];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fscanf(f, "%31s", buf) == 1)
		fn(atoi(buf), arg);
	fclose(f);
}

/* A platform may keep processes in reserve: they map no program. */
static inline void note_program(pid_t pid, void *arg)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (strtoul(line, NULL, 16) == CODE)
			*(pid_t *)arg = pid;
	if (f)
		fclose(f);
}

static inline pid_t youngest_child(void)
{
	pid_t pid = 0;

	for (int i = 0; i < 20000 && !pid; i++) { /* a worker's may be about to begin */
		for_each_child(note_program, &pid);
		if (!pid)
			msleep(1);
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

/* Whether it comes to more than that, within a time that only a failure takes. */
static inline bool becomes_more(_Atomic int *n, int than)
{
	for (int i = 0; i < 20000 && atomic_load(n) <= than; i++)
		msleep(1);
	return atomic_load(n) > than;
}

/* --- all cases, on each platform ------------------------------------------------- */

static inline int run_on_platforms(const TTest *const *tests, size_t n)
{
	void (*const setups[])(void) = { setup_ptrace, setup_systrap };
	static const char *const names[] = { "ptrace", "systrap" };
	const char *only = getenv("REDOUBT_PLATFORM");
	SRunner *sr = srunner_create(NULL);
	int failed;

	for (size_t p = 0; p < sizeof(names) / sizeof(*names); p++) {
		Suite *s;

		if (only && strcmp(only, names[p]))
			continue;
		s = suite_create(names[p]);
		for (size_t i = 0; i < n; i++) {
			TCase *tc = tcase_create(tests[i]->name);

			tcase_add_checked_fixture(tc, setups[p], NULL);
			tcase_set_timeout(tc, 60);
			tcase_add_test(tc, tests[i]);
			suite_add_tcase(s, tc);
		}
		srunner_add_suite(sr, s);
	}
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}

#endif
