/*
 * test_platform.c - the platform interface against small programs written in
 * assembly (the blob below, copied into a memory file and mapped).
 * Each case runs on each platform (or on the one that REDOUBT_PLATFORM names).
 * REDOUBT_BENCH=1 prints what a switch, an order and an address space cost.
 *
 * links: sentry/platform/platform.c sentry/platform/ptrace/zygote.c sentry/platform/ptrace/call.c sentry/platform/ptrace/as.c sentry/platform/ptrace/ctx.c sentry/platform/ptrace/switch.c sentry/platform/ptrace/stub_image.S sentry/platform/stub_exec.c sentry/platform/stub_fd.c sentry/platform/systrap/zygote.c sentry/platform/systrap/as.c sentry/platform/systrap/pool.c sentry/platform/systrap/slots.c sentry/platform/systrap/orders.c sentry/platform/systrap/ctx.c sentry/platform/systrap/frame.c sentry/platform/systrap/patch.c sentry/platform/systrap/mask.c sentry/platform/systrap/records.c sentry/platform/systrap/site.c sentry/platform/systrap/handover.c sentry/platform/systrap/switch.c sentry/platform/systrap/init.c sentry/platform/systrap/stub_image.S sentry/arch/x86_64/regs.c sentry/arch/x86_64/fpstate.c sentry/lib/lock.c sentry/lib/threads.c
 */
#include "platform/platform.h"

#include <check.h>
#include <dirent.h>
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
#define RESERVE 4 /* systrap's POOL_MAX */
#define DATA 0x20000ul
#define STR(x) #x
#define XSTR(x) STR(x)
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

static void setup(void)
{
	struct err *e;

	mem_fd = memfd_create("mem", MFD_CLOEXEC);
	ck_assert(mem_fd >= 0 && !ftruncate(mem_fd, 1 << 20));
	mem = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, mem_fd, 0);
	memcpy(mem, blob, (size_t)(blob_end - blob));
	e = platform_new(which, mem_fd, &plat);
	ck_assert_msg(!e, "%s", e ? err_text(e) : "");
}

static void setup_ptrace(void)
{
	which = "ptrace";
	setup();
}

static void setup_systrap(void)
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
static struct platform_as *new_as(uint64_t data_off)
{
	struct platform_as *as = platform_as_new(plat);

	ck_assert_ptr_nonnull(as);
	ck_assert_int_eq(platform_as_map(as, CODE, 4096, PROT_READ | PROT_EXEC, mem_fd, 0), 0);
	ck_assert_int_eq(platform_as_map(as, DATA, 4096, PROT_READ | PROT_WRITE, mem_fd, data_off), 0);
	return as;
}

static void guest_new(struct guest *g, const char *entry)
{
	memset(g, 0, sizeof(*g));
	g->as = new_as(4096);
	g->c = platform_ctx_new(plat, g->as);
	platform_ctx_bind(g->c);
	regs_exec(&g->r, AT(entry), DATA + 4096);
}

static void guest_free(struct guest *g)
{
	platform_ctx_free(g->c);
	platform_as_free(g->as);
}

static enum platform_event run(struct guest *g)
{
	return platform_switch(g->c, g->as, &g->r, &g->t);
}

START_TEST(syscalls)
{
	struct guest g;

	guest_new(&g, blob_getppid);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
		ck_assert_uint_eq(g.r.orig_rax, 110);
		ck_assert_int_eq((int64_t)g.r.rax, -ENOSYS);
		g.r.rax = (uint64_t)i;
	}
	guest_free(&g);
}
END_TEST

/* The stub's own text is only program code when the program jumps there. */
START_TEST(stub_text_is_harmless)
{
	struct guest g;

	guest_new(&g, blob_getppid);
	if (!strcmp(which, "ptrace")) { /* begins with a system call */
		g.r.rip = 0x7fffe0000000;
		g.r.rax = 60;
		ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
		ck_assert_uint_eq(g.r.orig_rax, 60);
	}
	g.r.rip = AT(blob_store);
	g.r.rdi = 0x7fffe0000000;
	ck_assert_int_eq(run(&g), PLATFORM_FAULT);
	ck_assert_int_eq(g.t.code, SEGV_ACCERR);
	guest_free(&g);
}
END_TEST

START_TEST(faults)
{
	struct guest g;

	guest_new(&g, blob_load);
	g.r.rdi = 0x12345678;
	ck_assert_int_eq(run(&g), PLATFORM_FAULT);
	ck_assert_int_eq(g.t.signo, SIGSEGV);
	ck_assert_int_eq(g.t.code, SEGV_MAPERR);
	ck_assert_uint_eq(g.t.addr, 0x12345678);
	ck_assert_int_eq(platform_as_map(g.as, 0x12345000, 4096, PROT_READ, mem_fd, 8192), 0);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	ck_assert_uint_eq(g.r.rbx, 1);

	g.r.rip = AT(blob_store);
	g.r.rsi = 77;
	ck_assert_int_eq(run(&g), PLATFORM_FAULT);
	ck_assert_int_eq(g.t.code, SEGV_ACCERR);
	ck_assert_int_eq(platform_as_protect(g.as, 0x12345000, 4096, PROT_READ | PROT_WRITE), 0);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	ck_assert_uint_eq(mem[8192 + 0x678], 77);

	ck_assert_int_eq(platform_as_unmap(g.as, 0x12345000, 4096), 0);
	g.r.rip = AT(blob_load);
	ck_assert_int_eq(run(&g), PLATFORM_FAULT);
	guest_free(&g);
}
END_TEST

static void expect_trap(const char *entry, int signo, int code)
{
	struct guest g;

	guest_new(&g, entry);
	ck_assert_int_eq(run(&g), PLATFORM_TRAP);
	ck_assert_int_eq(g.t.signo, signo);
	ck_assert_int_eq(g.t.code, code);
	guest_free(&g);
}

START_TEST(traps)
{
	expect_trap(blob_int3, SIGTRAP, SI_KERNEL);
	expect_trap(blob_ud2, SIGILL, ILL_ILLOPN);
	expect_trap(blob_div, SIGFPE, FPE_INTDIV);
	expect_trap(blob_gp, SIGSEGV, SI_KERNEL);
	expect_trap(blob_int80, SIGSEGV, SI_KERNEL);
}
END_TEST

START_TEST(vsyscall)
{
	struct guest g;

	guest_new(&g, blob_vsyscall);
	g.r.rdi = 0;
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	ck_assert_uint_eq(g.r.orig_rax, SYS_time);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	ck_assert_uint_eq(g.r.orig_rax, 39);
	guest_free(&g);
}
END_TEST

START_TEST(singlestep)
{
	struct guest g;

	guest_new(&g, blob_load);
	g.r.rdi = DATA;
	platform_set_singlestep(g.c, true);
	ck_assert_int_eq(run(&g), PLATFORM_TRAP);
	ck_assert_int_eq(g.t.code, TRAP_TRACE);
	ck_assert_uint_eq(g.r.rip, AT(blob_load) + 3);
	platform_set_singlestep(g.c, false);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	guest_free(&g);
}
END_TEST

START_TEST(floating_point)
{
	struct guest g;
	static struct fpstate fp;
	uint64_t v;

	guest_new(&g, blob_fp);
	fpstate_init(&fp);
	v = 0x1122334455667788;
	memcpy(fp.area + 160 + 16, &v, 8);
	platform_fpstate_set(g.c, &fp); /* before the first switch */
	g.r.rdi = 5;
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	memset(&fp, 0, sizeof(fp));
	platform_fpstate_get(g.c, &fp);
	memcpy(&v, fp.area + 160 + 16, 8);
	ck_assert_uint_eq(v, 5);
	v = 99;
	memcpy(fp.area + 160 + 16, &v, 8);
	platform_fpstate_set(g.c, &fp);
	g.r.rdi = 6;
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	platform_fpstate_get(g.c, &fp);
	memcpy(&v, fp.area + 160 + 16, 8);
	ck_assert_uint_eq(v, 6);
	guest_free(&g);
}
END_TEST

START_TEST(fs_base)
{
	struct guest g;
	uint64_t v = 0xabcdef;

	guest_new(&g, blob_fs);
	memcpy(mem + 4096, &v, 8);
	g.r.fs_base = DATA;
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	ck_assert_uint_eq(g.r.rdi, v);
	guest_free(&g);
}
END_TEST

/* --- several host threads ------------------------------------------------------- */

struct worker {
	pthread_t thread;
	struct platform_as *as;
	struct platform_ctx *c;
	const char *entry;
	uint64_t rdi;
	_Atomic int events[8];
	_Atomic bool stop;
	enum platform_event last;
};

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct platform_trap t;
	struct regs r;

	platform_ctx_bind(w->c);
	regs_exec(&r, AT(w->entry), DATA + 4096);
	r.rdi = w->rdi;
	while (!atomic_load(&w->stop)) {
		w->last = platform_switch(w->c, w->as, &r, &t);
		atomic_fetch_add(&w->events[w->last], 1);
		if (w->last == PLATFORM_DEAD || w->last == PLATFORM_FAULT)
			break;
	}
	platform_ctx_free(w->c);
	return NULL;
}

static void worker_start(struct worker *w, struct platform_as *as, const char *entry, uint64_t rdi)
{
	memset(w, 0, sizeof(*w));
	w->as = as;
	w->entry = entry;
	w->rdi = rdi;
	w->c = platform_ctx_new(plat, as);
	ck_assert_ptr_nonnull(w->c);
	pthread_create(&w->thread, NULL, worker_main, w);
}

static void worker_stop(struct worker *w)
{
	atomic_store(&w->stop, true);
	platform_interrupt(w->c);
	pthread_join(w->thread, NULL);
}

static void msleep(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, (ms % 1000) * 1000000 }, NULL);
}

START_TEST(interrupt)
{
	struct worker w;
	struct platform_as *as = new_as(4096);

	worker_start(&w, as, blob_spin, 0);
	for (int i = 0; i < 200; i++) {
		int before = atomic_load(&w.events[PLATFORM_INTERRUPTED]);

		platform_interrupt(w.c);
		for (int k = 0; k < 5000 && atomic_load(&w.events[PLATFORM_INTERRUPTED]) == before; k++)
			usleep(100);
		ck_assert_int_gt(atomic_load(&w.events[PLATFORM_INTERRUPTED]), before);
	}
	worker_stop(&w);
	platform_as_free(as);
}
END_TEST

/* Threads of one process, cloned by the first, which then exits before them. */
START_TEST(threads)
{
	struct worker w[4];
	struct guest g;
	uint64_t v[4];

	guest_new(&g, blob_getppid);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	for (unsigned i = 0; i < 4; i++)
		worker_start(&w[i], g.as, blob_count, DATA + 64 * i);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	platform_ctx_free(g.c);
	msleep(50);
	worker_stop(&w[0]);
	memcpy(&v[1], mem + 4096 + 64, 8);
	for (int i = 0; i < 200 && !memcmp(&v[1], mem + 4096 + 64, 8); i++)
		msleep(30);
	for (unsigned i = 1; i < 4; i++)
		worker_stop(&w[i]);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t was = i == 1 ? v[1] : 0;

		memcpy(&v[i], mem + 4096 + 64 * i, 8);
		ck_assert_uint_gt(v[i], was);
	}
	ck_assert_int_gt(platform_as_cpu_ns(g.as), 1000000);
	platform_as_free(g.as);
}
END_TEST

/* Another thread unmaps and maps under a running program; when an order is back,
 * no store can land in the old page. */
START_TEST(foreign_orders)
{
	struct platform_as *as = new_as(4096);
	struct worker w;
	uint64_t v, v2;

	worker_start(&w, as, blob_count, DATA);
	msleep(20);
	for (int i = 0; i < 200; i++) {
		uint64_t off = i % 2 ? 4096 : 8192, other = i % 2 ? 8192 : 4096;

		ck_assert_int_eq(platform_as_map(as, DATA, 4096, PROT_READ | PROT_WRITE, mem_fd, off), 0);
		memcpy(&v, mem + other, 8);
		usleep(100);
		memcpy(&v2, mem + other, 8);
		ck_assert_uint_eq(v, v2);
	}
	ck_assert_int_eq(platform_as_unmap(as, DATA, 4096), 0);
	pthread_join(w.thread, NULL);
	ck_assert_int_eq(w.last, PLATFORM_FAULT);
	platform_as_free(as);
}
END_TEST

static void *order_main(void *arg)
{
	struct platform_as *as = arg;

	for (int i = 0; i < 300; i++) {
		ck_assert_int_eq(platform_as_map(as, 0x40000, 4096, PROT_READ, mem_fd, 8192), 0);
		ck_assert_int_eq(platform_as_unmap(as, 0x40000, 4096), 0);
	}
	return NULL;
}

START_TEST(orders_under_load)
{
	struct platform_as *as = new_as(4096);
	struct worker w[2];
	pthread_t t[2];
	struct guest g = { .as = as, .c = platform_ctx_new(plat, as) };

	platform_ctx_bind(g.c);
	regs_exec(&g.r, AT(blob_getppid), DATA);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	worker_start(&w[0], as, blob_count, DATA);
	worker_start(&w[1], as, blob_getppid, DATA);
	for (unsigned i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, order_main, as);
	for (int i = 0; i < 300; i++) {
		ck_assert_int_eq(platform_as_map(as, 0x50000, 4096, PROT_READ, mem_fd, 8192), 0);
		ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
		platform_interrupt(w[0].c);
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	worker_stop(&w[0]);
	worker_stop(&w[1]);
	guest_free(&g);
}
END_TEST

START_TEST(exec_moves)
{
	struct guest g;
	struct platform_as *old;

	guest_new(&g, blob_getppid);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
		old = g.as;
		g.as = new_as(4096);
		if (i % 2)
			platform_as_free(old);
		ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
		if (!(i % 2))
			platform_as_free(old);
	}
	guest_free(&g);
}
END_TEST

/* vfork: a second context in the same address space moves to its own. */
START_TEST(exec_leaves_others)
{
	struct guest g, h;

	guest_new(&g, blob_getppid);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	h = g;
	h.c = platform_ctx_new(plat, g.as);
	ck_assert_int_eq(platform_switch(h.c, g.as, &h.r, &h.t), PLATFORM_SYSCALL);
	h.as = new_as(8192);
	ck_assert_int_eq(platform_switch(h.c, h.as, &h.r, &h.t), PLATFORM_SYSCALL);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	guest_free(&h);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	guest_free(&g);
}
END_TEST

/* A program goes on in its predecessor's process only if that has no other thread,
 * and has had none that might be there still. */
START_TEST(reuse)
{
	bool may = !strcmp(which, "systrap");
	struct platform_ctx *second;
	struct guest g;

	guest_new(&g, blob_getppid);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	ck_assert_int_eq(platform_as_reusable(g.as, g.c), may);
	ck_assert_int_eq(platform_as_unmap(g.as, 0, TASK_SIZE), 0);
	ck_assert_int_eq(platform_as_map(g.as, CODE, 4096, PROT_READ | PROT_EXEC, mem_fd, 0), 0);
	regs_exec(&g.r, AT(blob_getppid), DATA + 4096);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	second = platform_ctx_new(plat, g.as);
	ck_assert(!platform_as_reusable(g.as, g.c));
	platform_ctx_free(second);
	ck_assert(!platform_as_reusable(g.as, g.c));
	guest_free(&g);
}
END_TEST

/* Many orders at once, several files among them; those before the one that fails are done. */
START_TEST(batches)
{
	struct platform_order o[100];
	int fd = memfd_create("other", 0);
	struct guest g;

	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	guest_new(&g, blob_load);
	for (unsigned i = 0; i < 100; i++)
		o[i] = (struct platform_order){ .kind = PLATFORM_MAP, .prot = PROT_READ, .addr = 0x100000 + i * 8192, .len = 4096,
			.fd = i % 3 == 1 ? fd : i % 3 == 2 ? mem_fd : dup(fd) };
	ck_assert_int_eq(platform_as_orders(g.as, o, 100), 0);
	for (unsigned i = 0; i < 100; i++) {
		g.r.rip = AT(blob_load);
		g.r.rdi = o[i].addr;
		ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
		ck_assert_uint_eq(g.r.rbx, 1); /* loaded */
		o[i].addr += 0x1000000;
	}
	o[50].fd = 9999;
	ck_assert_int_lt(platform_as_orders(g.as, o, 100), 0);
	g.r.rip = AT(blob_load);
	g.r.rdi = o[49].addr;
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	g.r.rip = AT(blob_load);
	g.r.rdi = o[51].addr;
	ck_assert_int_eq(run(&g), PLATFORM_FAULT);
	guest_free(&g);
}
END_TEST

/* Calls fn for each of our processes, the oldest first. */
static void for_each_child(void (*fn)(pid_t pid, void *arg), void *arg)
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
static void note_program(pid_t pid, void *arg)
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

static pid_t youngest_child(void)
{
	pid_t pid = 0;

	for_each_child(note_program, &pid);
	ck_assert_int_gt(pid, 0);
	return pid;
}

static void count_child(pid_t pid, void *arg)
{
	++*(unsigned *)arg;
}

static void kill_idle(pid_t pid, void *arg)
{
	pid_t program = 0;

	note_program(pid, &program);
	if (!program && ++*(unsigned *)arg > 1) /* not the zygote, which is the oldest */
		kill(pid, SIGKILL);
}

/* Processes kept in reserve that somebody kills are not used. */
START_TEST(reserve_killed)
{
	struct guest g[4];
	unsigned n = 0;

	for (int i = 0; i < 4; i++) {
		guest_new(&g[i], blob_getppid);
		ck_assert_int_eq(run(&g[i]), PLATFORM_SYSCALL);
	}
	msleep(100);
	for_each_child(kill_idle, &n);
	msleep(100);
	for (int i = 0; i < 4; i++) {
		struct guest h;

		guest_new(&h, blob_getppid);
		ck_assert_int_eq(run(&h), PLATFORM_SYSCALL);
		guest_free(&h);
		guest_free(&g[i]);
	}
}
END_TEST

START_TEST(killed_from_outside)
{
	struct guest g;
	struct worker w;
	struct platform_as *as;

	guest_new(&g, blob_getppid);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	kill(youngest_child(), SIGKILL);
	ck_assert_int_eq(run(&g), PLATFORM_DEAD);
	ck_assert_int_eq(run(&g), PLATFORM_DEAD);
	ck_assert_int_eq(platform_as_unmap(g.as, DATA, 4096), 0);
	guest_free(&g);

	as = new_as(4096);
	worker_start(&w, as, blob_spin, 0);
	msleep(30);
	kill(youngest_child(), SIGKILL);
	pthread_join(w.thread, NULL);
	ck_assert_int_eq(w.last, PLATFORM_DEAD);
	platform_as_free(as);
}
END_TEST

/* The death is noticed though another thread's host thread is not waiting. */
START_TEST(killed_while_others_sleep)
{
	struct platform_as *as = new_as(4096);
	struct guest g = { .as = as, .c = platform_ctx_new(plat, as) };
	struct worker w;

	platform_ctx_bind(g.c);
	regs_exec(&g.r, AT(blob_getppid), DATA);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	worker_start(&w, as, blob_getppid, 0);
	msleep(30);
	worker_stop(&w);
	worker_start(&w, as, blob_spin, 0);
	msleep(30);
	kill(youngest_child(), SIGKILL); /* g is in a system call */
	pthread_join(w.thread, NULL);
	ck_assert_int_eq(w.last, PLATFORM_DEAD);
	ck_assert_int_eq(run(&g), PLATFORM_DEAD);
	guest_free(&g);
}
END_TEST

START_TEST(stopped_from_outside)
{
	struct worker w;
	struct platform_as *as = new_as(4096);
	int calls;

	worker_start(&w, as, blob_getppid, 0);
	msleep(20);
	kill(youngest_child(), SIGSTOP);
	kill(youngest_child(), SIGTERM);
	kill(youngest_child(), SIGCONT);
	msleep(20);
	calls = atomic_load(&w.events[PLATFORM_SYSCALL]);
	msleep(50);
	ck_assert_int_gt(atomic_load(&w.events[PLATFORM_SYSCALL]), calls);
	worker_stop(&w);
	platform_as_free(as);
}
END_TEST

START_TEST(other_files)
{
	struct guest g;
	char path[] = "/tmp/platform-test-XXXXXX";
	int fd = mkstemp(path);
	uint64_t v = 0x4242;

	ck_assert_int_ge(fd, 0);
	unlink(path);
	ck_assert(!ftruncate(fd, 8192) && pwrite(fd, &v, 8, 4096) == 8);
	guest_new(&g, blob_watch);
	ck_assert_int_eq(platform_as_map(g.as, 0x60000, 4096, PROT_READ, fd, 4096), 0); /* queued */
	g.r.rdi = 0x60000;
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(platform_as_map(g.as, 0x70000, 4096, PROT_READ, fd, 4096), 0); /* at once */
	g.r.rdi = 0x70000;
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	ck_assert_int_lt(platform_as_map(g.as, 0x70000, 4096, PROT_READ, 9999, 0), 0);
	ck_assert_int_eq(platform_as_map(g.as, 0x70000, 4096, PROT_READ, fd, 4096), 0);
	/* beyond the end of the file */
	ck_assert_int_eq(platform_as_map(g.as, 0x70000, 4096, PROT_READ, fd, 1 << 20), 0);
	ck_assert_int_eq(run(&g), PLATFORM_FAULT);
	ck_assert_int_eq(g.t.signo, SIGBUS);
	close(fd);
	guest_free(&g);
}
END_TEST

START_TEST(bad_ranges)
{
	struct platform_as *as = platform_as_new(plat);

	ck_assert_int_eq(platform_as_unmap(as, TASK_SIZE, 4096), -EINVAL);
	ck_assert_int_eq(platform_as_unmap(as, TASK_SIZE - 4096, 8192), -EINVAL);
	ck_assert_int_eq(platform_as_unmap(as, 1, 4096), -EINVAL);
	ck_assert_int_eq(platform_as_unmap(as, 4096, UINT64_MAX - 4095), -EINVAL);
	ck_assert_int_eq(platform_as_unmap(as, 4096, 0), -EINVAL);
	platform_as_free(as);
}
END_TEST

START_TEST(hundred_processes)
{
	static struct guest g[100];

	for (int i = 0; i < 100; i++) {
		guest_new(&g[i], blob_getppid);
		ck_assert_int_eq(run(&g[i]), PLATFORM_SYSCALL);
	}
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(run(&g[i]), PLATFORM_SYSCALL);
	for (int i = 0; i < 100; i++)
		guest_free(&g[i]);
	for (int i = 0; i < 500; i++) { /* the zygote is left, and what is kept in reserve */
		unsigned n = 0;

		for_each_child(count_child, &n);
		if (n <= 1 + RESERVE)
			return;
		msleep(10);
	}
	ck_abort_msg("processes are left");
}
END_TEST

/* --- hostile programs ------------------------------------------------------------ */

/* What the stub consists of: see systrap/guest-code/stub.h. */
#define ST_TEXT 0x7fffe0000000ul
#define ST_TEXT_END 0x7fffe0001000ul
#define ST_SLOTS 0x7fff80000000ul
#define ST_ORDERS 0x7fffd0000000ul
#define ST_FILTER 0x7fffe0002000ul

static uint64_t random64(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* What a register may hold: small numbers, places of the stub, the program's. */
static uint64_t nasty(uint64_t *seed)
{
	uint64_t v = random64(seed);

	switch (v >> 61) {
	case 0: return v & 0x1ff;
	case 1: return ST_TEXT + (v & 0xfff);
	case 2: return ST_SLOTS + (v & 0x3ffff);
	case 3: return ST_ORDERS + (v & 0xff8);
	case 4: return DATA + (v & 0xff8);
	case 5: return CODE + (v & 0xff);
	case 6: return v & 0x11; /* map flags, protections */
	default: return v;
	}
}

static void nasty_regs(struct regs *r, uint64_t *seed)
{
	r->rax = nasty(seed);
	r->rbx = nasty(seed);
	r->rcx = nasty(seed);
	r->rdx = nasty(seed);
	r->rsi = nasty(seed);
	r->rdi = nasty(seed);
	r->rsp = nasty(seed);
	r->r8 = nasty(seed);
	r->r9 = nasty(seed);
	r->r10 = nasty(seed);
	r->r12 = nasty(seed);
	r->r13 = nasty(seed);
	r->r14 = nasty(seed);
	r->r15 = nasty(seed);
}

struct watchdog {
	struct platform_ctx *c;
	_Atomic int64_t deadline;
	_Atomic bool stop;
	pthread_t thread;
};

/* A jump may end in an endless loop of the program's, or asleep. */
static void *watch(void *arg)
{
	struct watchdog *w = arg;

	while (!atomic_load(&w->stop)) {
		usleep(5000);
		platform_interrupt(w->c);
	}
	return NULL;
}

static void read_whole(char *buf, size_t size, int pid, const char *name)
{
	char path[64];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	n = fread(buf, 1, size - 1, f);
	buf[n] = '\0';
	fclose(f);
}

static unsigned count_entries(int pid, const char *name)
{
	char path[64];
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* What a host call by the program could have changed. */
struct host_state {
	char maps[8192];
	unsigned fds, threads;
};

static struct host_state host_state(pid_t pid)
{
	struct host_state s = { .fds = count_entries(pid, "fd"), .threads = count_entries(pid, "task") };

	read_whole(s.maps, sizeof(s.maps), pid, "maps");
	return s;
}

/* Jumps to bytes of the stub's text with registers of all kinds. A process may end of it;
 * another one is not touched, nothing hangs, and no file appears or goes. */
static void jump_about(uint64_t seed, unsigned step, unsigned limit)
{
	struct guest g, bystander;
	struct host_state before, after;
	pid_t pid;

	guest_new(&bystander, blob_load);
	bystander.r.rdi = DATA;
	guest_new(&g, blob_getppid);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	pid = youngest_child();
	before = host_state(pid);
	for (unsigned at = (unsigned)(seed % step); at < limit; at += step) {
		struct watchdog w = { .c = g.c };
		enum platform_event e;

		nasty_regs(&g.r, &seed);
		g.r.rip = ST_TEXT + at;
		pthread_create(&w.thread, NULL, watch, &w);
		e = run(&g);
		atomic_store(&w.stop, true);
		pthread_join(w.thread, NULL);
		if (e == PLATFORM_DEAD) {
			guest_free(&g);
			guest_new(&g, blob_getppid);
			ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
			pid = youngest_child();
			before = host_state(pid);
		} else {
			after = host_state(pid);
			ck_assert_str_eq(before.maps, after.maps);
			ck_assert_uint_eq(before.fds, after.fds);
			ck_assert_uint_eq(before.threads, after.threads);
		}
		regs_exec(&g.r, AT(blob_getppid), DATA + 4096);
	}
	ck_assert_int_eq(run(&bystander), PLATFORM_SYSCALL);
	ck_assert_uint_eq(bystander.r.rbx, 1);
	guest_free(&g);
	guest_free(&bystander);
}

START_TEST(jumps_into_the_stub)
{
	jump_about(0x123456789abcdef, 7, 0x400);
	jump_about((uint64_t)time(NULL) | 1, 11, 0x400);
}
END_TEST

/* The orders and the filter can be read, not written; nothing of the stub can
 * be run but its text. */
START_TEST(stub_memory)
{
	static const uint64_t readonly[] = { ST_TEXT, ST_ORDERS, ST_FILTER };
	struct guest g;

	if (strcmp(which, "systrap"))
		return;
	guest_new(&g, blob_getppid);
	for (unsigned i = 0; i < 3; i++) {
		g.r.rip = AT(blob_store);
		g.r.rdi = readonly[i];
		ck_assert_int_eq(run(&g), PLATFORM_FAULT);
		ck_assert_int_eq(g.t.code, SEGV_ACCERR);
		ck_assert(g.t.error_known && (g.t.error & 2));
	}
	g.r.rip = ST_ORDERS;
	ck_assert_int_eq(run(&g), PLATFORM_FAULT);
	ck_assert(g.t.error & 16);
	guest_free(&g);
}
END_TEST

/* A thread that writes all over the slots of its process while another makes
 * system calls: events may be lies, but they come to an end. */
START_TEST(scribbling)
{
	struct platform_as *as = new_as(4096);
	struct guest g = { .as = as };
	struct worker w, innocent;
	struct platform_as *other = new_as(8192);
	int calls;

	if (strcmp(which, "systrap")) {
		platform_as_free(as);
		platform_as_free(other);
		return;
	}
	worker_start(&innocent, other, blob_getppid, 0);
	worker_start(&w, as, blob_getppid, 0);
	g.c = platform_ctx_new(plat, as);
	for (unsigned offset = 0; offset < 176; offset += 8) {
		struct watchdog dog = { .c = g.c };
		int before = 0;

		/* The worker's slot is the first that was made after those of the orders. */
		for (unsigned slot = 0; slot < 8; slot++) {
			regs_exec(&g.r, AT(blob_store), DATA + 4096);
			g.r.rdi = ST_SLOTS + slot * 0x8000ul + offset;
			g.r.rsi = before++ % 2 ? 0 : 0x0001000200010001;
			pthread_create(&dog.thread, NULL, watch, &dog);
			if (run(&g) == PLATFORM_DEAD)
				slot = 8;
			atomic_store(&dog.stop, true);
			pthread_join(dog.thread, NULL);
			atomic_store(&dog.stop, false);
		}
	}
	calls = atomic_load(&innocent.events[PLATFORM_SYSCALL]);
	msleep(100);
	ck_assert_int_gt(atomic_load(&innocent.events[PLATFORM_SYSCALL]), calls);
	worker_stop(&innocent);
	if (w.last == PLATFORM_DEAD) /* its process was found out */
		pthread_join(w.thread, NULL);
	else
		worker_stop(&w);
	platform_ctx_free(g.c);
	platform_as_free(as);
	platform_as_free(other);
}
END_TEST

/* --- figures ------------------------------------------------------------------------ */

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

START_TEST(figures)
{
	const int n = 20000, m = 2000, k = 200;
	struct guest g;
	int64_t t0, t1;

	if (!getenv("REDOUBT_BENCH"))
		return;
	guest_new(&g, blob_getppid);
	run(&g);
	t0 = now();
	for (int i = 0; i < n; i++)
		run(&g);
	t1 = now();
	printf("switch %ld ns\n", (long)((t1 - t0) / n));
	t0 = now();
	for (int i = 0; i < m; i++) {
		platform_as_map(g.as, 0x50000, 4096, PROT_READ, mem_fd, 8192);
		platform_as_unmap(g.as, 0x50000, 4096);
	}
	t1 = now();
	printf("map or unmap %ld ns\n", (long)((t1 - t0) / (2 * m)));
	guest_free(&g);
	t0 = now();
	for (int i = 0; i < k; i++) {
		guest_new(&g, blob_getppid);
		run(&g);
		guest_free(&g);
	}
	t1 = now();
	printf("address space, first switch and end %ld ns\n", (long)((t1 - t0) / k));
	t0 = now();
	setup();
	printf("zygote start %ld ns\n", (long)(now() - t0));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { syscalls, stub_text_is_harmless, faults, traps, vsyscall, singlestep, floating_point, fs_base, interrupt,
		threads, foreign_orders, orders_under_load, exec_moves, exec_leaves_others,
		reuse, batches, reserve_killed, killed_from_outside, killed_while_others_sleep, stopped_from_outside, other_files,
		bad_ranges, hundred_processes, jumps_into_the_stub, stub_memory, scribbling, figures };
	void (*const setups[])(void) = { setup_ptrace, setup_systrap };
	static const char *const names[] = { "ptrace", "systrap" };
	const char *only = getenv("REDOUBT_PLATFORM");
	SRunner *sr = srunner_create(NULL);
	int failed;

	for (size_t p = 0; p < sizeof(names) / sizeof(*names); p++) {
		Suite *s = suite_create(names[p]);

		if (only && strcmp(only, names[p]))
			continue;
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
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
