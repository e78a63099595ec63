/*
 * test_hostile.c - programs that attack what they run in: jumps into the
 * stub's text, stores to its memory, lies in the slots.
 *
 * links: sentry/platform/platform.c sentry/platform/stub_zygote.c sentry/platform/ptrace/call.c sentry/platform/ptrace/as.c sentry/platform/ptrace/ctx.c sentry/platform/ptrace/switch.c sentry/platform/ptrace/stub_image.S sentry/platform/stub_exec.c sentry/platform/stub_fd.c sentry/platform/systrap/as.c sentry/platform/systrap/pool.c sentry/platform/systrap/place.c sentry/platform/systrap/cpus.c sentry/platform/systrap/seat.c sentry/platform/systrap/slots.c sentry/platform/systrap/orders.c sentry/platform/systrap/near.c sentry/platform/systrap/ctx.c sentry/platform/systrap/frame.c sentry/platform/systrap/patch.c sentry/platform/systrap/mask.c sentry/platform/systrap/robust.c sentry/platform/systrap/records.c sentry/platform/systrap/told.c sentry/platform/systrap/names.c sentry/platform/systrap/window.c sentry/platform/systrap/rings.c sentry/platform/systrap/look.c sentry/platform/systrap/site.c sentry/platform/systrap/asks.c sentry/platform/systrap/handover.c sentry/platform/systrap/line.c sentry/platform/systrap/switch.c sentry/platform/systrap/init.c sentry/platform/systrap/stub_image.S sentry/arch/x86_64/regs.c sentry/arch/x86_64/lea.c sentry/arch/x86_64/move.c sentry/arch/x86_64/fpstate.c sentry/lib/lock.c sentry/lib/wait.c sentry/lib/threads.c sentry/lib/counters.c
 */
#include "platform_case.h"

#include <dirent.h>

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
	ck_assert(becomes_more(&innocent.events[PLATFORM_SYSCALL], atomic_load(&innocent.events[PLATFORM_SYSCALL])));
	worker_stop(&innocent);
	worker_stop(&w); /* or else its process was found out, and it has ended */
	platform_ctx_free(g.c);
	platform_as_free(as);
	platform_as_free(other);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { jumps_into_the_stub, stub_memory, scribbling };

	return run_on_platforms(tests, sizeof(tests) / sizeof(tests[0]));
}
