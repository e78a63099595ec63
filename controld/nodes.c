/*
 * nodes.c - see nodes.h.
 */
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
	RB_ENTRY(node) by_number, by_path;
	TAILQ_ENTRY(node) used;
	uint64_t number, told;
	char path[];
};

static int compare_numbers(const struct node *a, const struct node *b)
{
	return a->number < b->number ? -1 : a->number > b->number;
}

static int compare_paths(const struct node *a, const struct node *b)
{
	return strcmp(a->path, b->path);
}

RB_GENERATE_INTERNAL(nodes_by_number, node, by_number, compare_numbers, static __attribute__((unused)))
RB_GENERATE_INTERNAL(nodes_by_path, node, by_path, compare_paths, static __attribute__((unused)))

static struct node *make(const char *path)
{
	size_t len = strlen(path);
	struct node *n = calloc(1, sizeof(*n) + len + 1);

	if (n)
		memcpy(n->path, path, len);
	return n;
}

static void drop(struct nodes *ns, struct node *n)
{
	RB_REMOVE(nodes_by_number, &ns->by_number, n);
	RB_REMOVE(nodes_by_path, &ns->by_path, n);
	TAILQ_REMOVE(&ns->used, n, used);
	ns->n--;
	free(n);
}

void nodes_init(struct nodes *ns)
{
	*ns = (struct nodes){ .last = NODES_ROOT };
	RB_INIT(&ns->by_number);
	RB_INIT(&ns->by_path);
	TAILQ_INIT(&ns->used);
}

void nodes_free(struct nodes *ns)
{
	while (!TAILQ_EMPTY(&ns->used))
		drop(ns, TAILQ_FIRST(&ns->used));
}

static void use(struct nodes *ns, struct node *n)
{
	TAILQ_REMOVE(&ns->used, n, used);
	TAILQ_INSERT_TAIL(&ns->used, n, used);
}

static struct node *find(struct nodes *ns, uint64_t number)
{
	struct node key = { .number = number };

	return RB_FIND(nodes_by_number, &ns->by_number, &key);
}

const char *nodes_path(struct nodes *ns, uint64_t number)
{
	struct node *n = number == NODES_ROOT ? NULL : find(ns, number);

	if (n)
		use(ns, n);
	return number == NODES_ROOT ? "" : n ? n->path : NULL;
}

bool nodes_join(struct nodes *ns, uint64_t dir, const char *name, char path[NODES_PATH_MAX + 1])
{
	const char *parent = nodes_path(ns, dir);
	int len = parent ? snprintf(path, NODES_PATH_MAX + 1, "%s%s%s", parent, *parent ? "/" : "", name) : -1;

	return len >= 0 && len <= NODES_PATH_MAX;
}

uint64_t nodes_tell(struct nodes *ns, const char *path)
{
	struct node *fresh = make(path), *n = fresh ? RB_FIND(nodes_by_path, &ns->by_path, fresh) : NULL;

	if (!fresh)
		return 0;
	if (n) {
		free(fresh);
		use(ns, n);
	} else {
		if (ns->n == NODES_MAX)
			drop(ns, TAILQ_FIRST(&ns->used));
		n = fresh;
		n->number = ++ns->last;
		RB_INSERT(nodes_by_number, &ns->by_number, n);
		RB_INSERT(nodes_by_path, &ns->by_path, n);
		TAILQ_INSERT_TAIL(&ns->used, n, used);
		ns->n++;
	}
	n->told++;
	return n->number;
}

void nodes_forget(struct nodes *ns, uint64_t number, uint64_t times)
{
	struct node *n = find(ns, number);

	if (!n)
		return;
	n->told -= times < n->told ? times : n->told;
	if (!n->told)
		drop(ns, n);
}
