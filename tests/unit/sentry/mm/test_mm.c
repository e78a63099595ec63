/*
 * Address spaces against a model, on a platform that only remembers: random
 * mappings, accesses, protections, moves, forks; real byte contents.
 *
 * links: sentry/mm/memfile.c sentry/mm/memfile_freed.c sentry/mm/ranges.c sentry/mm/charge.c sentry/mm/huge.c sentry/mm/mm.c sentry/mm/fork.c sentry/mm/vma.c sentry/mm/nothing.c sentry/mm/pma.c sentry/mm/stub.c sentry/mm/stub_queue.c sentry/mm/text.c sentry/mm/text_event.c sentry/mm/text_known.c sentry/mm/text_emulate.c sentry/arch/x86_64/lea.c sentry/arch/x86_64/move.c sentry/mm/text_cache.c sentry/mm/fault.c sentry/mm/cow.c sentry/mm/mmap.c sentry/mm/mprotect.c sentry/mm/mremap.c sentry/mm/madvise.c sentry/mm/mlock.c sentry/mm/memobj.c sentry/mm/memobj_anon.c sentry/mm/usercopy.c sentry/mm/peek.c sentry/mm/uio.c sentry/mm/env.c sentry/mm/safe_copy.c sentry/mm/safe_code.S sentry/lib/lock.c
 */
#include "fake_platform.h"

#define N_MM 5
#define PAGES 256u /* of the window, for the random test */

/* What a page should be: protection and first byte; -1: not mapped. */
struct model {
	struct mm *mm;
	int prot[PAGES];
	uint8_t byte[PAGES];
	int shared[PAGES]; /* id of shared block, 0: private */
};
static struct model models[N_MM];

static uint64_t addr_of(unsigned page) { return WIN + page * PAGE_SIZE; }

static void pick(unsigned *page, unsigned *n)
{
	*page = (unsigned)rand() % PAGES;
	*n = 1 + (unsigned)rand() % 24;
	if (*page + *n > PAGES)
		*n = PAGES - *page;
}

static void set_byte(struct model *m, unsigned page, uint8_t b)
{
	int id = m->shared[page];

	m->byte[page] = b;
	if (!id)
		return;
	for (int k = 0; k < N_MM; k++)
		for (unsigned i = 0; models[k].mm && i < PAGES; i++)
			if (models[k].shared[i] == id)
				models[k].byte[i] = b;
}

static void op_map(struct model *m)
{
	static int next_id;
	unsigned page, n;
	int prots[] = { PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_NONE }, prot = prots[rand() % 4];
	bool shared = rand() % 4 == 0;
	struct mm_mmap mp = { .prot = prot, .max_prot = 7, .flags = LINUX_MAP_FIXED | LINUX_MAP_ANONYMOUS };

	pick(&page, &n);
	mp.addr = addr_of(page);
	mp.len = n * PAGE_SIZE;
	mp.flags |= shared ? LINUX_MAP_SHARED : LINUX_MAP_PRIVATE;
	if (shared)
		mp.obj = memobj_anon_new(&env, mp.len);
	ck_assert_int_eq(mm_mmap(m->mm, &mp), (int64_t)mp.addr);
	if (shared)
		memobj_put(mp.obj);
	for (unsigned i = page; i < page + n; i++) {
		m->prot[i] = prot;
		m->byte[i] = 0;
		m->shared[i] = shared ? ++next_id : 0;
	}
}

static void op_unmap(struct model *m)
{
	unsigned page, n;

	pick(&page, &n);
	ck_assert_int_eq(mm_munmap(m->mm, addr_of(page), n * PAGE_SIZE), 0);
	for (unsigned i = page; i < page + n; i++)
		m->prot[i] = -1, m->shared[i] = 0;
}

static void op_protect(struct model *m)
{
	unsigned page, n;
	int prot = rand() % 3 == 0 ? PROT_NONE : rand() % 2 ? PROT_READ : PROT_READ | PROT_WRITE, want = 0, e;

	pick(&page, &n);
	e = mm_mprotect(m->mm, addr_of(page), n * PAGE_SIZE, prot);
	for (unsigned i = page; i < page + n && !want; i++) {
		if (m->prot[i] < 0)
			want = -ENOMEM;
		else
			m->prot[i] = prot;
	}
	ck_assert_int_eq(e, want);
}

static void op_dontneed(struct model *m)
{
	unsigned page, n;
	bool hole = false;
	int e;

	pick(&page, &n);
	for (int i = rand() % 8; i >= 0; i--) /* often enough, and it is done without asking */
		e = mm_madvise(m->mm, addr_of(page), n * PAGE_SIZE, LINUX_MADV_DONTNEED);
	for (unsigned i = page; i < page + n; i++) {
		hole |= m->prot[i] < 0;
		if (m->prot[i] >= 0 && !m->shared[i])
			m->byte[i] = 0;
	}
	ck_assert_int_eq(e, hole ? -ENOMEM : 0);
}

static void op_move(struct model *m)
{
	unsigned from = (unsigned)rand() % (PAGES / 2 - 8), to = PAGES / 2 + (unsigned)rand() % (PAGES / 2 - 8), n = 1 + (unsigned)rand() % 8;
	int64_t r = mm_mremap(m->mm, addr_of(from), n * PAGE_SIZE, n * PAGE_SIZE, LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED, addr_of(to));

	if (r < 0) { /* not one area; Linux has unmapped the target by then, unless nothing was at the source */
		struct vma *v = vma_at(m->mm, addr_of(from));

		ck_assert_int_eq(r, -EFAULT);
		for (unsigned i = 0; v && i < n; i++)
			m->prot[to + i] = -1, m->shared[to + i] = 0;
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		m->prot[to + i] = m->prot[from + i];
		m->byte[to + i] = m->byte[from + i];
		m->shared[to + i] = m->shared[from + i];
		m->prot[from + i] = -1, m->shared[from + i] = 0;
	}
}

static void op_access(struct model *m)
{
	unsigned page = (unsigned)rand() % PAGES;
	uint64_t a = addr_of(page);
	uint8_t b = 0, w = (uint8_t)rand();
	bool write = rand() % 2, kernel = rand() % 2;
	int e, may = m->prot[page] > 0 && (!write || (m->prot[page] & PROT_WRITE));

	if (kernel)
		e = write ? copy_to_user(m->mm, UADDR(a), &w, 1) : copy_from_user(m->mm, &b, UADDR(a), 1);
	else
		e = program_access(m->mm, a, write, rand() % 2, write ? &w : &b);
	ck_assert_int_eq(e, may ? 0 : -EFAULT);
	if (may && write)
		set_byte(m, page, w);
	else if (may)
		ck_assert_uint_eq(b, m->byte[page]);
}

static void op_fork(struct model *m)
{
	int k = rand() % N_MM;
	struct model *c = &models[k];

	if (c == m)
		return;
	if (c->mm)
		mm_put(c->mm);
	*c = *m;
	c->mm = mm_fork(m->mm);
	ck_assert_ptr_nonnull(c->mm);
}

static void op_invalidate(struct model *m)
{
	struct vma *v = vma_at(m->mm, addr_of((unsigned)rand() % PAGES));

	if (v && v->obj)
		mm_object_invalidate(v->obj, v->off, PAGE_SIZE * 3, rand() % 2); /* contents stay: mapped anew */
}

static void random_ops(unsigned seed, int count)
{
	static void (*const ops[])(struct model *) = { op_map, op_unmap, op_protect, op_dontneed, op_move, op_fork, op_invalidate, op_access, op_access,
		op_access, op_access, op_access, op_access, op_access, op_access, op_access, op_access };

	srand(seed);
	memset(models, 0, sizeof(models));
	models[0].mm = mm_new(&env);
	for (unsigned i = 0; i < PAGES; i++)
		models[0].prot[i] = -1;
	for (int i = 0; i < count; i++) {
		struct model *m = &models[rand() % N_MM];

		if (!m->mm)
			continue;
		ops[(size_t)rand() % (sizeof(ops) / sizeof(ops[0]))](m);
		check_invariants(m->mm);
	}
	for (int k = 0; k < N_MM; k++)
		if (models[k].mm)
			mm_put(models[k].mm);
}

START_TEST(random_operations)
{
	uint64_t before = memfile_allocated(env.mf);

	random_ops((unsigned)_i + 1, 1500);
	ck_assert_uint_eq(memfile_allocated(env.mf), before); /* nothing leaks */
}
END_TEST

static struct mm *with_map(uint64_t addr, uint64_t len, int flags)
{
	struct mm *mm = mm_new(&env);
	struct mm_mmap m = { .addr = addr, .len = len, .prot = 3, .max_prot = 7, .flags = flags | LINUX_MAP_ANONYMOUS | LINUX_MAP_PRIVATE };

	ck_assert_ptr_nonnull(mm);
	ck_assert_int_ge(mm_mmap(mm, &m), 0);
	return mm;
}

static bool told(const struct mm *mm, uint64_t start, uint64_t len)
{
	return mm->as->nothing <= start && start + len <= mm->as->nothing + mm->as->nothing_len;
}

/* A thread's stack below what the thread has used. */
START_TEST(nothing_to_give_back)
{
	const uint64_t len = 768 * PAGE_SIZE, below = WIN + PAGE_SIZE, below_len = len - 20 * PAGE_SIZE;
	struct mm *mm = with_map(WIN, len, LINUX_MAP_FIXED);
	uint8_t b = 1;

	ck_assert_int_eq(program_access(mm, WIN + len - 1, true, true, &b), 0);
	for (int how = 0; how < 4; how++) {
		for (int i = 0; i < 5; i++) {
			ck_assert(!told(mm, below, below_len));
			ck_assert_int_eq(mm_madvise(mm, below, below_len, LINUX_MADV_DONTNEED), 0);
			if (told(mm, below, below_len))
				break;
		}
		ck_assert(told(mm, below, below_len));
		ck_assert(!told(mm, below, below_len + PAGE_SIZE));
		if (how == 0)
			ck_assert_int_eq(program_access(mm, below + PAGE_SIZE, true, true, &b), 0);
		else if (how == 1)
			ck_assert_int_eq(copy_to_user(mm, UADDR(below), &b, 1), 0);
		else if (how == 2)
			ck_assert_int_eq(mm_mprotect(mm, below, PAGE_SIZE, PROT_NONE), 0);
		else
			ck_assert_int_eq(mm_munmap(mm, below, PAGE_SIZE), 0);
		ck_assert_uint_eq(mm->as->nothing_len, 0);
		ck_assert_int_eq(pmas_drop(mm, below, below + below_len), 0);
		check_invariants(mm);
	}
	mm_put(mm);
}
END_TEST

START_TEST(stack_grows_to_its_limit)
{
	struct mm *mm = with_map(WIN + 512 * PAGE_SIZE, PAGE_SIZE, LINUX_MAP_FIXED | LINUX_MAP_GROWSDOWN);
	uint8_t b = 9;
	int code;

	mm_set_limits(mm, UINT64_MAX, UINT64_MAX, 100 * PAGE_SIZE, 0);
	ck_assert_int_eq(program_access(mm, WIN + 430 * PAGE_SIZE, true, true, &b), 0);
	check_invariants(mm);
	ck_assert_int_eq(mm_fault(mm, WIN + 400 * PAGE_SIZE, ACCESS_WRITE, &code), -EFAULT);
	ck_assert_int_eq(code, 1); /* SEGV_MAPERR */
	mm_put(mm);
}
END_TEST

START_TEST(brk_grows_and_shrinks)
{
	struct mm *mm = mm_new(&env);
	char buf[4] = "abc";

	mm_set_brk(mm, WIN);
	ck_assert_int_eq(mm_brk(mm, 0), (int64_t)WIN);
	ck_assert_int_eq(mm_brk(mm, WIN + 10000), (int64_t)WIN + 10000);
	ck_assert_int_eq(copy_to_user(mm, UADDR(WIN + 9000), buf, 4), 0);
	ck_assert_int_eq(mm_brk(mm, WIN + 1), (int64_t)WIN + 1);
	ck_assert_int_eq(copy_to_user(mm, UADDR(WIN + 9000), buf, 4), -EFAULT);
	ck_assert_int_eq(mm_brk(mm, TASK_SIZE + 1), (int64_t)WIN + 1);
	mm_put(mm);
}
END_TEST

START_TEST(strings_and_page_ends)
{
	struct mm *mm = with_map(WIN, 2 * PAGE_SIZE, LINUX_MAP_FIXED);
	char buf[64];

	ck_assert_int_eq(copy_to_user(mm, UADDR(WIN + 2 * PAGE_SIZE - 4), "abc", 4), 0);
	ck_assert_int_eq(copy_str_from_user(mm, buf, UADDR(WIN + 2 * PAGE_SIZE - 4), sizeof(buf)), 3);
	ck_assert_str_eq(buf, "abc");
	ck_assert_int_eq(copy_to_user(mm, UADDR(WIN + 2 * PAGE_SIZE - 4), "abcd", 4), 0);
	ck_assert_int_eq(copy_str_from_user(mm, buf, UADDR(WIN + 2 * PAGE_SIZE - 4), sizeof(buf)), -EFAULT);
	ck_assert_int_eq(copy_str_from_user(mm, buf, UADDR(WIN + 2 * PAGE_SIZE - 4), 4), -ENAMETOOLONG);
	ck_assert_uint_eq(copy_from_user_partial(mm, buf, UADDR(WIN + 2 * PAGE_SIZE - 4), 10), 4);
	ck_assert_int_eq(copy_from_user(mm, buf, UADDR(UINT64_MAX - 3), 8), -EFAULT);
	ck_assert_int_eq(copy_from_user(mm, buf, UADDR(TASK_SIZE - 1), 8), -EFAULT);
	mm_put(mm);
}
END_TEST

START_TEST(words)
{
	struct mm *mm = with_map(WIN, PAGE_SIZE, LINUX_MAP_FIXED);
	struct futex_key a, b;
	uint32_t v = 1;
	bool done;

	ck_assert_int_eq(user_load32(mm, UADDR(WIN + 2), &v), -EINVAL);
	ck_assert_int_eq(user_load32(mm, UADDR(WIN + 4), &v), 0);
	ck_assert_uint_eq(v, 0);
	ck_assert_int_eq(user_cmpxchg32(mm, UADDR(WIN + 4), &v, 7, &done), 0);
	ck_assert(done);
	v = 3;
	ck_assert_int_eq(user_cmpxchg32(mm, UADDR(WIN + 4), &v, 8, &done), 0);
	ck_assert(!done);
	ck_assert_uint_eq(v, 7);
	ck_assert_int_eq(user_load32(mm, UADDR(WIN - 4096), &v), -EFAULT);
	ck_assert_int_eq(user_futex_key(mm, UADDR(WIN), true, &a), 0);
	ck_assert_int_eq(user_futex_key(mm, UADDR(WIN), false, &b), 0);
	ck_assert(a.a == b.a && a.b == b.b);
	mm_put(mm);
}
END_TEST

START_TEST(uio_crosses_elements)
{
	struct mm *mm = with_map(WIN, 4 * PAGE_SIZE, LINUX_MAP_FIXED);
	struct iovec_user iov[3] = { { WIN + 10, 5 }, { 0, 0 }, { WIN + PAGE_SIZE - 2, 6 } };
	struct uio u;
	struct uio_pin pin;
	struct iovec host[4];
	char buf[32] = "";
	int n;

	uio_user_iov(&u, mm, iov, 3);
	ck_assert_uint_eq(u.resid, 11);
	ck_assert_int_eq(uio_copy_out(&u, "hello world and more", 20), 11);
	ck_assert_uint_eq(u.resid, 0);
	uio_user_iov(&u, mm, iov, 3);
	n = uio_pin(&u, 100, false, host, 4, &pin);
	ck_assert_int_eq(n, 2);
	ck_assert_uint_eq(host[0].iov_len, 5);
	ck_assert_mem_eq(host[1].iov_base, " world", 6);
	mm_munmap(mm, WIN, 4 * PAGE_SIZE);
	ck_assert_mem_eq(host[0].iov_base, "hello", 5); /* pinned */
	uio_unpin(&pin);
	uio_user_iov(&u, mm, iov, 3);
	ck_assert_int_eq(uio_copy_in(&u, buf, sizeof(buf)), -EFAULT);
	uio_kernel(&u, buf, 3);
	ck_assert_int_eq(uio_copy_out(&u, "abcdef", 6), 3);
	ck_assert_str_eq(buf, "abc");
	mm_put(mm);
}
END_TEST

START_TEST(iovec_import)
{
	struct mm *mm = with_map(WIN, PAGE_SIZE, LINUX_MAP_FIXED);
	struct iovec_user in[10] = { { 1, 2 }, { 3, 4 } }, stack[8], *out;

	copy_to_user(mm, UADDR(WIN), in, sizeof(in));
	ck_assert_int_eq(uio_import(mm, UADDR(WIN), 2, stack, &out), 6);
	ck_assert_ptr_eq(out, stack);
	ck_assert_int_eq(uio_import(mm, UADDR(WIN), 10, stack, &out), 6);
	ck_assert_ptr_ne(out, stack);
	free(out);
	ck_assert_int_eq(uio_import(mm, UADDR(WIN), MAX_IOVECS + 1, stack, &out), -EINVAL);
	ck_assert_int_eq(uio_import(mm, UADDR(0), 2, stack, &out), -EFAULT);
	in[0].len = UINT64_MAX;
	copy_to_user(mm, UADDR(WIN), in, sizeof(in));
	ck_assert_int_eq(uio_import(mm, UADDR(WIN), 2, stack, &out), -EINVAL);
	mm_put(mm);
}
END_TEST

START_TEST(many_mappings)
{
	struct mm *mm = mm_new(&env);
	struct mm_mmap m = { .len = PAGE_SIZE, .max_prot = 7, .flags = LINUX_MAP_ANONYMOUS | LINUX_MAP_PRIVATE };
	int64_t r = 0;
	unsigned n;

	for (n = 0; n < MAX_MAP_COUNT + 10; n++) {
		m.prot = n % 2 ? PROT_READ : PROT_READ | PROT_WRITE; /* they do not join */
		r = mm_mmap(mm, &m);
		if (r < 0)
			break;
	}
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert_uint_eq(n, MAX_MAP_COUNT);
	mm_put(mm);
}
END_TEST

START_TEST(errors)
{
	struct mm *mm = with_map(WIN, 4 * PAGE_SIZE, LINUX_MAP_FIXED);
	struct mm_mmap m = { .addr = WIN + PAGE_SIZE, .len = PAGE_SIZE, .flags = LINUX_MAP_ANONYMOUS | LINUX_MAP_PRIVATE | LINUX_MAP_FIXED_NOREPLACE };

	ck_assert_int_eq(mm_mmap(mm, &m), -EEXIST);
	m.flags |= LINUX_MAP_FIXED;
	m.addr = WIN + 1;
	ck_assert_int_eq(mm_mmap(mm, &m), -EINVAL);
	m.addr = TASK_SIZE;
	ck_assert_int_eq(mm_mmap(mm, &m), -ENOMEM);
	m.addr = 0;
	ck_assert_int_eq(mm_mmap(mm, &m), -EPERM);
	m.len = 0;
	ck_assert_int_eq(mm_mmap(mm, &m), -EINVAL);
	m.len = UINT64_MAX - 5;
	ck_assert_int_eq(mm_mmap(mm, &m), -ENOMEM);
	ck_assert_int_eq(mm_munmap(mm, 1, 1), -EINVAL);
	ck_assert_int_eq(mm_munmap(mm, WIN, 0), -EINVAL);
	ck_assert_int_eq(mm_mprotect(mm, WIN + 3 * PAGE_SIZE, 2 * PAGE_SIZE, PROT_READ), -ENOMEM);
	ck_assert_int_eq(mm_mprotect(mm, WIN, PAGE_SIZE, 0x100), -EINVAL);
	ck_assert_int_eq(mm_mremap(mm, WIN, PAGE_SIZE, 0, 0, 0), -EINVAL);
	ck_assert_int_eq(mm_mremap(mm, WIN + 64 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 0, 0), -EFAULT);
	ck_assert_int_eq(mm_madvise(mm, WIN, PAGE_SIZE, 12345), -EINVAL);
	mm_put(mm);
}
END_TEST

START_TEST(fork_costs_few_orders)
{
	struct mm *mm = with_map(WIN, 512 * PAGE_SIZE, LINUX_MAP_FIXED), *child;
	uint8_t b = 1;
	unsigned before;

	for (unsigned i = 0; i < 512; i++)
		ck_assert_int_eq(program_access(mm, addr_of(i), true, true, &b), 0);
	before = fake_orders;
	child = mm_fork(mm);
	ck_assert_uint_eq(fake_orders - before, 1);
	mm_put(child); /* alone again: the pages are taken back in one go */
	before = fake_orders;
	for (unsigned i = 0; i < 512; i++)
		ck_assert_int_eq(program_access(mm, addr_of(i), true, true, &b), 0);
	ck_assert_uint_eq(fake_orders - before, 1);
	mm_put(mm);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mm");
	TCase *t = tcase_create("mm");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, fake_env, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, random_operations, 0, 6);
	tcase_add_test(t, nothing_to_give_back);
	tcase_add_test(t, stack_grows_to_its_limit);
	tcase_add_test(t, brk_grows_and_shrinks);
	tcase_add_test(t, strings_and_page_ends);
	tcase_add_test(t, words);
	tcase_add_test(t, uio_crosses_elements);
	tcase_add_test(t, iovec_import);
	tcase_add_test(t, many_mappings);
	tcase_add_test(t, errors);
	tcase_add_test(t, fork_costs_few_orders);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
