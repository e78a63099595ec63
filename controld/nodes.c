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
	char *path;
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
	struct node *n = calloc(1, sizeof(*n));

	if (n && !(n->path = strdup(path))) {
		free(n);
		return NULL;
	}
	return n;
}

static void unmake(struct node *n)
{
	free(n->path);
	free(n);
}

static void drop(struct nodes *ns, struct node *n)
{
	RB_REMOVE(nodes_by_number, &ns->by_number, n);
	RB_REMOVE(nodes_by_path, &ns->by_path, n);
	TAILQ_REMOVE(&ns->used, n, used);
	ns->n--;
	ns->bytes -= strlen(n->path);
	unmake(n);
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

static struct node *find_path(struct nodes *ns, const char *path)
{
	struct node key = { .path = (char *)(uintptr_t)path };

	return RB_FIND(nodes_by_path, &ns->by_path, &key);
}

static struct node *add(struct nodes *ns, const char *path)
{
	struct node *n = make(path);

	if (!n)
		return NULL;
	ns->bytes += strlen(path);
	while (ns->n && (ns->n == NODES_MAX || ns->bytes > NODES_BYTES_MAX))
		drop(ns, TAILQ_FIRST(&ns->used));
	n->number = ++ns->last;
	RB_INSERT(nodes_by_number, &ns->by_number, n);
	RB_INSERT(nodes_by_path, &ns->by_path, n);
	TAILQ_INSERT_TAIL(&ns->used, n, used);
	ns->n++;
	return n;
}

uint64_t nodes_tell(struct nodes *ns, const char *path)
{
	struct node *n = find_path(ns, path);

	if (n)
		use(ns, n);
	else if (!(n = add(ns, path)))
		return 0;
	n->told++;
	return n->number;
}

/* What of path is below dir: "" for dir itself, "/..." else; NULL: it is not. */
static const char *below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (!path[len] || path[len] == '/') ? path + len : NULL;
}

static void move(struct nodes *ns, struct node *n, const char *rest, const char *to)
{
	char joined[2 * NODES_PATH_MAX + 1], *path;
	int len = snprintf(joined, sizeof(joined), "%s%s", to, rest);

	if (len > NODES_PATH_MAX || !(path = strdup(joined))) {
		drop(ns, n);
		return;
	}
	RB_REMOVE(nodes_by_path, &ns->by_path, n);
	ns->bytes += (size_t)len - strlen(n->path);
	free(n->path);
	n->path = path;
	RB_INSERT(nodes_by_path, &ns->by_path, n);
}

void nodes_rename(struct nodes *ns, const char *from, const char *to)
{
	struct node *n, *next;
	const char *rest;

	if (!strcmp(from, to))
		return;
	TAILQ_FOREACH_SAFE (n, &ns->used, used, next) {
		if (below(n->path, to))
			drop(ns, n);
	}
	TAILQ_FOREACH_SAFE (n, &ns->used, used, next) {
		if ((rest = below(n->path, from)))
			move(ns, n, rest, to);
	}
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
