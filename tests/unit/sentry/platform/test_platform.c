/*
 * test_platform.c - the platform interface: what a program does comes out as
 * the right event, orders change its memory, threads and address spaces move.
 * REDOUBT_BENCH=1 prints what a switch, an order and an address space cost.
 *
 * links: sentry/platform/platform.c sentry/platform/stub_zygote.c sentry/platform/ptrace/call.c sentry/platform/ptrace/as.c sentry/platform/ptrace/ctx.c sentry/platform/ptrace/switch.c sentry/platform/ptrace/stub_image.S sentry/platform/stub_exec.c sentry/platform/stub_fd.c sentry/platform/systrap/as.c sentry/platform/systrap/pool.c sentry/platform/systrap/slots.c sentry/platform/systrap/orders.c sentry/platform/systrap/near.c sentry/platform/systrap/ctx.c sentry/platform/systrap/frame.c sentry/platform/systrap/patch.c sentry/platform/systrap/mask.c sentry/platform/systrap/robust.c sentry/platform/systrap/records.c sentry/platform/systrap/told.c sentry/platform/systrap/names.c sentry/platform/systrap/window.c sentry/platform/systrap/rings.c sentry/platform/systrap/look.c sentry/platform/systrap/site.c sentry/platform/systrap/asks.c sentry/platform/systrap/handover.c sentry/platform/systrap/line.c sentry/platform/systrap/place.c sentry/platform/systrap/cpus.c sentry/platform/systrap/seat.c sentry/platform/systrap/switch.c sentry/platform/systrap/init.c sentry/platform/systrap/stub_image.S sentry/arch/x86_64/regs.c sentry/arch/x86_64/lea.c sentry/arch/x86_64/move.c sentry/arch/x86_64/fpstate.c sentry/lib/lock.c sentry/lib/wait.c sentry/lib/threads.c sentry/lib/counters.c
 */
#include "platform_case.h"

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

START_TEST(interrupt)
{
	struct worker w;
	struct platform_as *as = new_as(4096);

	worker_start(&w, as, blob_spin, 0);
	for (int i = 0; i < 200; i++) {
		int before = atomic_load(&w.events[PLATFORM_INTERRUPTED]);

		platform_interrupt(w.c);
		for (int k = 0; k < 100000 && atomic_load(&w.events[PLATFORM_INTERRUPTED]) == before; k++)
			usleep(100);
		ck_assert_int_gt(atomic_load(&w.events[PLATFORM_INTERRUPTED]), before);
	}
	worker_stop(&w);
	platform_as_free(as);
}
END_TEST

static enum platform_event run_on(struct guest *g)
{
	enum platform_event e;

	while ((e = run(g)) == PLATFORM_INTERRUPTED) /* late, or the machine is slow */
		;
	return e;
}

/* What works for long is interrupted without anybody's doing, and stops by itself else. */
START_TEST(brief)
{
	struct guest g;

	guest_new(&g, blob_spin);
	if (platform_brief(g.c, true)) {
		for (int i = 0; i < 5; i++)
			ck_assert_int_eq(run(&g), PLATFORM_INTERRUPTED);
		g.r.rip = AT(blob_getppid);
		for (int i = 0; i < 100; i++) {
			ck_assert_int_eq(run_on(&g), PLATFORM_SYSCALL);
			ck_assert_uint_eq(g.r.orig_rax, 110);
		}
		platform_brief(g.c, false);
	} else {
		ck_assert_str_eq(which, "ptrace");
	}
	g.r.rip = AT(blob_getppid);
	for (int i = 0; i < 100; i++) {
		platform_soon(g.c);
		ck_assert_int_eq(run_on(&g), PLATFORM_SYSCALL);
		ck_assert_uint_eq(g.r.orig_rax, 110);
	}
	guest_free(&g);
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
	for (unsigned i = 0; i < 4; i++)
		for (int k = 0; k < 20000 && !memcmp(&(uint64_t){ 0 }, mem + 4096 + 64 * i, 8); k++)
			msleep(1);
	worker_stop(&w[0]);
	memcpy(&v[1], mem + 4096 + 64, 8);
	for (int i = 0; i < 600 && !memcmp(&v[1], mem + 4096 + 64, 8); i++)
		msleep(30);
	for (unsigned i = 1; i < 4; i++)
		worker_stop(&w[i]);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t was = i == 1 ? v[1] : 0;

		memcpy(&v[i], mem + 4096 + 64 * i, 8);
		ck_assert_uint_gt(v[i], was);
	}
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
		brief, threads, foreign_orders, orders_under_load, exec_moves, exec_leaves_others, reuse, batches, other_files, bad_ranges, figures };

	return run_on_platforms(tests, sizeof(tests) / sizeof(tests[0]));
}
