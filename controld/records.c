/*
 * records.c - see records.h.
 */
#include "records.h"

#include <stdlib.h>

void records_init(struct records *r)
{
	TAILQ_INIT(&r->list);
	r->n = 0;
}

static void drop(struct records *r, struct record *rec)
{
	TAILQ_REMOVE(&r->list, rec, entry);
	r->n--;
	free(rec);
}

void records_free(struct records *r)
{
	struct record *rec;

	while ((rec = TAILQ_FIRST(&r->list)))
		drop(r, rec);
}

struct record *records_find(struct records *r, uint32_t pid)
{
	struct record *rec;

	TAILQ_FOREACH (rec, &r->list, entry) {
		if (rec->pid == pid)
			return rec;
	}
	return NULL;
}

/* Makes room for one; pid 0, the container's own, is never dropped. */
static bool make_room(struct records *r)
{
	struct record *rec;

	if (r->n < RECORDS_MAX)
		return true;
	TAILQ_FOREACH (rec, &r->list, entry) {
		if (rec->ended && rec->pid) {
			drop(r, rec);
			return true;
		}
	}
	return false;
}

struct record *records_add(struct records *r, uint32_t pid)
{
	struct record *rec = records_find(r, pid);

	if (rec && !rec->ended)
		return rec;
	if (rec)
		drop(r, rec);
	if (!make_room(r) || !(rec = calloc(1, sizeof(*rec))))
		return NULL;
	rec->pid = pid;
	LIST_INIT(&rec->waiters);
	TAILQ_INSERT_TAIL(&r->list, rec, entry);
	r->n++;
	return rec;
}

void record_end(struct record *rec, uint16_t status, void (*fn)(struct record_waiter *w, uint16_t status))
{
	struct record_waiter *w;

	if (rec->ended)
		return;
	rec->ended = true;
	rec->status = status;
	while ((w = LIST_FIRST(&rec->waiters))) {
		LIST_REMOVE(w, entry);
		fn(w, status);
	}
}

void record_wait(struct record *rec, struct record_waiter *w)
{
	LIST_INSERT_HEAD(&rec->waiters, w, entry);
}

void record_unwait(struct record_waiter *w)
{
	LIST_REMOVE(w, entry);
}

void records_end_all(struct records *r, uint16_t status, void (*fn)(struct record_waiter *w, uint16_t status))
{
	struct record *rec, *next;

	TAILQ_FOREACH_SAFE (rec, &r->list, entry, next)
		record_end(rec, status, fn);
}
