/*
 * test_pid.c - numbers in nested namespaces.
 * links: sentry/kernel/pid.c sentry/lib/lock.c
 */
#include "kernel/ns.h"
#include "kernel/task_table.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

static struct task_table table;
static struct kernel k = { .tasks = &table };

uint64_t ns_new_ino(struct kernel *of)
{
	return atomic_fetch_add(&of->ns_made, 1);
}

void user_ns_get(struct user_ns *ns)
{
}

void user_ns_put(struct user_ns *ns)
{
}

static bool capable;

bool cred_capable_in(const struct cred *c, const struct user_ns *ns, int cap)
{
	return capable;
}

static struct pid *make(struct pid_ns *ns)
{
	struct pid *p = NULL;

	ck_assert(!pid_alloc_locked(ns, NULL, &p));
	return p;
}

START_TEST(nested)
{
	struct pid_ns *root = pid_ns_new(&k, NULL, NULL), *a = pid_ns_new(&k, root, NULL), *b = pid_ns_new(&k, root, NULL), *c = pid_ns_new(&k, a, NULL);
	struct pid *pa = make(a), *pb = make(b), *pc = make(c), *pa2 = make(a);
	pid_t nr = 0;

	ck_assert(pid_ns_is_below(c, a) && pid_ns_is_below(c, root) && pid_ns_is_below(a, a) && !pid_ns_is_below(a, c) && !pid_ns_is_below(c, b));
	ck_assert(pid_own_nr(pa) == 1 && pid_own_nr(pb) == 1 && pid_own_nr(pc) == 1 && pid_own_nr(pa2) == 3);
	ck_assert(pid_nr(pa, root) == 1 && pid_nr(pb, root) == 2 && pid_nr(pc, root) == 3 && pid_nr(pa2, root) == 4);
	ck_assert(pid_nr(pc, a) == 2 && pid_nr(pc, b) == 0 && pid_nr(pa, c) == 0 && pid_nr(NULL, a) == 0);
	ck_assert(pid_own_ns(pc) == c && pid_find_locked(a, 2) == pc && pid_find_locked(c, 1) == pc && !pid_find_locked(c, 2));
	ck_assert(pid_next_locked(a, 0, &nr) == pa && nr == 1);
	ck_assert(pid_next_locked(a, 1, &nr) == pc && nr == 2);
	ck_assert(pid_next_locked(a, 3, &nr) == NULL);
	pid_drop_if_unused_locked(pc);
	ck_assert(!pid_find_locked(a, 2) && !pid_find_locked(c, 1) && !pid_find_locked(root, 3));
	pid_ns_put(c);
	pid_drop_if_unused_locked(pa);
	pid_drop_if_unused_locked(pa2);
	pid_drop_if_unused_locked(pb);
	pid_ns_put(a);
	pid_ns_put(b);
	pid_ns_put(root);
}
END_TEST

/* A number is not given again at once; its holder keeps it known to who looks later. */
START_TEST(lives)
{
	struct pid_ns *root = pid_ns_new(&k, NULL, NULL), *a = pid_ns_new(&k, root, NULL);
	struct pid *p = make(a), *q;

	p->task = (struct task *)&table;
	pid_drop_if_unused_locked(p);
	ck_assert(pid_find_locked(a, 1) == p);
	ref_get(&p->ref);
	p->task = NULL;
	pid_drop_if_unused_locked(p);
	ck_assert(!pid_find_locked(a, 1) && pid_nr(p, a) == 1);
	q = make(a);
	ck_assert(pid_own_nr(q) == 2);
	pid_put(p);
	a->last_pid = PID_MAX - 1;
	p = make(a);
	ck_assert(pid_own_nr(p) == PID_RESERVED);
	pid_drop_if_unused_locked(p);
	pid_drop_if_unused_locked(q);
	pid_ns_put(a);
	pid_ns_put(root);
}
END_TEST

START_TEST(refused)
{
	struct pid_ns *root = pid_ns_new(&k, NULL, NULL), *a = pid_ns_new(&k, root, NULL);
	struct pid *p;

	a->dying = true;
	ck_assert_int_eq(pid_alloc_locked(a, NULL, &p), -ENOMEM);
	a->dying = false;
	table.n_tasks = TASKS_MAX;
	ck_assert_int_eq(pid_alloc_locked(a, NULL, &p), -EAGAIN);
	table.n_tasks = 0;
	pid_ns_put(a);
	pid_ns_put(root);
}
END_TEST

/* Numbers asked for, innermost first; what was taken before one is refused is free again. */
START_TEST(wanted)
{
	struct pid_ns *root = pid_ns_new(&k, NULL, NULL), *a = pid_ns_new(&k, root, NULL), *b = pid_ns_new(&k, a, NULL);
	const pid_t numbers[] = { 1, 77, 5 }, seven = 7;
	struct pid_wanted w = { numbers, 2, NULL };
	struct pid *p, *q;

	capable = false;
	ck_assert_int_eq(pid_alloc_locked(b, &w, &p), -EPERM);
	capable = true;
	ck_assert_int_eq(pid_alloc_locked(b, &w, &p), -EINVAL); /* 77 where there is no first process */
	ck_assert(!pid_find_locked(b, 1));
	a->init = (struct thread_group *)&table;
	ck_assert(!pid_alloc_locked(b, &w, &p) && pid_nr(p, b) == 1 && pid_nr(p, a) == 77 && pid_nr(p, root) > 0);
	ck_assert_int_eq(pid_alloc_locked(b, &w, &q), -EEXIST);
	w.n = 3; /* the kernel's root is nobody's to choose in */
	ck_assert_int_eq(pid_alloc_locked(b, &w, &q), -EINVAL);
	w = (struct pid_wanted){ &seven, 1, NULL };
	ck_assert_int_eq(pid_alloc_locked(b, &w, &q), -EINVAL);
	ck_assert(!pid_alloc_locked(a, &w, &q) && pid_nr(q, a) == 7);
	pid_drop_if_unused_locked(p);
	pid_drop_if_unused_locked(q);
	pid_ns_put(b);
	pid_ns_put(a);
	pid_ns_put(root);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pid");
	TCase *c = tcase_create("pid");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(c, nested);
	tcase_add_test(c, lives);
	tcase_add_test(c, refused);
	tcase_add_test(c, wanted);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
