/*
 * node.c - the table of known names.
 * links: gofer/node.c gofer/fdlru.c
 */
#include "gofer/node.h"
#include "gofer/tree.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct node_fds fds;
static struct node_table table;
static struct tree tree;
static struct node *root;

static struct node *found(struct node *dir, const char *name, uint64_t ino)
{
	struct node_id id = { 1, ino, S_IFDIR };

	return node_found(&table, dir, name, &id);
}

static void setup(void)
{
	struct node_id id = { 1, 2, S_IFDIR };

	node_fds_init(&fds, 100);
	ck_assert(node_table_init(&table, 5000, 42, &fds));
	root = node_root(&table, &tree, &id, -1);
	ck_assert_ptr_nonnull(root);
}

static void teardown(void)
{
	node_unref(&table, root);
	ck_assert_uint_eq(table.count, 0);
	node_table_destroy(&table);
}

START_TEST(same_name_same_node)
{
	struct node *a = found(root, "a", 10), *b = found(root, "a", 10), *c = found(root, "b", 10);

	ck_assert_ptr_eq(a, b);
	ck_assert_ptr_ne(a, c);
	ck_assert_uint_eq(a->refs, 2);
	ck_assert_ptr_eq(node_find(&table, root, "a"), a);
	ck_assert_ptr_null(node_find(&table, root, "A"));
	ck_assert_ptr_null(node_find(&table, a, "a"));
	node_unref(&table, a);
	ck_assert_ptr_eq(node_find(&table, root, "a"), a);
	node_unref(&table, a);
	ck_assert_ptr_null(node_find(&table, root, "a"));
	node_unref(&table, c);
}
END_TEST

START_TEST(another_file_orphans)
{
	struct node *a = found(root, "a", 10), *below = found(a, "x", 11);
	int fd = open("/", O_PATH | O_CLOEXEC);
	struct node *b;

	fd_lru_put(&fds.paths, &a->path, fd);
	b = found(root, "a", 20);
	ck_assert_ptr_ne(a, b);
	ck_assert(node_orphan(a));
	ck_assert(!node_orphan(b));
	ck_assert(!node_orphan(root));
	ck_assert_ptr_eq(node_find(&table, root, "a"), b);
	/* its descriptor is kept, in the set for that */
	ck_assert_int_eq(a->path.fd, fd);
	ck_assert_ptr_eq(a->path.lru, &fds.orphans);
	ck_assert_ptr_eq(node_find(&table, a, "x"), below);
	node_unref(&table, a);
	node_unref(&table, b);
	ck_assert_uint_eq(table.count, 3); /* root, a (held by below), below */
	node_unref(&table, below);
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
}
END_TEST

START_TEST(move_keeps_nodes_below)
{
	struct node *a = found(root, "a", 10), *x = found(a, "x", 11), *d = found(root, "d", 12), *there = found(d, "b", 13);

	node_move(&table, a, d, "b");
	ck_assert_ptr_null(node_find(&table, root, "a"));
	ck_assert_ptr_eq(node_find(&table, d, "b"), a);
	ck_assert_ptr_eq(node_find(&table, a, "x"), x);
	ck_assert_ptr_eq(a->parent, d);
	ck_assert_str_eq(a->name, "b");
	ck_assert(node_orphan(there));
	/* to where it is */
	node_move(&table, a, d, "b");
	ck_assert_ptr_eq(node_find(&table, d, "b"), a);
	node_unref(&table, d); /* lives on below a */
	node_unref(&table, there);
	node_unref(&table, a);
	node_unref(&table, x);
}
END_TEST

START_TEST(move_below_itself)
{
	struct node *a = found(root, "a", 10), *b = found(a, "b", 11), *c = found(b, "c", 12);

	/* the host's kernel said yes, so our picture was old: no circle */
	node_move(&table, a, c, "a");
	ck_assert(node_orphan(a));
	ck_assert_ptr_null(node_find(&table, c, "a"));
	ck_assert_ptr_null(node_find(&table, root, "a"));
	node_unref(&table, a);
	node_unref(&table, b);
	node_unref(&table, c);
}
END_TEST

START_TEST(exchange)
{
	struct node *d = found(root, "d", 9), *a = found(root, "a", 10), *b = found(d, "b", 11), *x = found(a, "x", 12);

	node_exchange(&table, root, "a", d, "b");
	ck_assert_ptr_eq(node_find(&table, root, "a"), b);
	ck_assert_ptr_eq(node_find(&table, d, "b"), a);
	ck_assert_ptr_eq(node_find(&table, a, "x"), x);
	/* with one unknown it is a move */
	node_exchange(&table, d, "b", root, "unknown");
	ck_assert_ptr_eq(node_find(&table, root, "unknown"), a);
	ck_assert_ptr_null(node_find(&table, d, "b"));
	node_exchange(&table, root, "no", root, "none");
	/* a directory with one below it */
	node_exchange(&table, root, "unknown", a, "x");
	ck_assert(node_orphan(a) && node_orphan(x));
	node_unref(&table, x);
	node_unref(&table, a);
	node_unref(&table, b);
	node_unref(&table, d);
}
END_TEST

START_TEST(many)
{
	static struct node *n[4000];
	struct node *deep = root;
	char name[16];

	for (int i = 0; i < 4000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		ck_assert_ptr_nonnull(n[i] = found(root, name, 100 + (uint64_t)i));
	}
	for (int i = 0; i < 4000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		ck_assert_ptr_eq(node_find(&table, root, name), n[i]);
	}
	for (int i = 0; i < 999; i++) {
		struct node *next = found(deep, "deep", 10000 + (uint64_t)i);

		ck_assert_ptr_nonnull(next);
		if (deep != root)
			node_unref(&table, deep);
		deep = next;
	}
	errno = 0;
	ck_assert_ptr_null(found(root, "one more", 3));
	ck_assert_int_eq(errno, ENFILE);
	node_unref(&table, deep); /* the whole chain */
	ck_assert_uint_eq(table.count, 4001);
	for (int i = 0; i < 4000; i++)
		node_unref(&table, n[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gofer/node");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, same_name_same_node);
	tcase_add_test(t, another_file_orphans);
	tcase_add_test(t, move_keeps_nodes_below);
	tcase_add_test(t, move_below_itself);
	tcase_add_test(t, exchange);
	tcase_add_test(t, many);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
