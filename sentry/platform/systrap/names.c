/*
 * names.c - what paths lead to, where programs' stubs look (guest-code/names.S).
 *
 * It lies in the slots' file: a page of words, then boards, each of which is mapped, read
 * only, by the address spaces whose programs have the same rights (its key).  A board holds
 * nothing that those could not find out by asking.  It may get another key when nobody maps
 * it any more, and an address space whose program gets other rights loses it for good.
 *
 * An entry is written while it says that it holds nothing: a stub that reads it meanwhile
 * sees that in the end.  It is found by its path's hash, which gives it one of two places.
 *
 * as->board is under as->mu; the boards under names_mu, RANK_LEAF.  All but st_names_end runs
 * on the context's own host thread, while its stub thread waits.
 */
#include "platform/systrap/systrap.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <x86intrin.h>

_Static_assert(ST_ENTRY_STAT + ST_TOLD_STAT_SIZE == ST_ENTRY_PATH && ST_ENTRY_PATH + ST_PATH_MAX <= ST_ENTRY_SIZE, "an entry");
_Static_assert(ST_PATH_MAX == PLATFORM_NAME_MAX, "with a path's end");
_Static_assert(ST_BOARD_SIZE == 2 * ST_ENTRY_SIZE << (64 - ST_ENTRY_PLACE_SHIFT), "two entries a place");
_Static_assert(ST_ANSWERS + ST_N_ANSWERS * 8 <= ST_NAMES_ROOTS && ST_NAMES_ROOTS + 8 <= ST_TOLD, "it has its place in the slot");

static uint8_t *words(const struct st_platform *p) { return p->slots + ST_BOARDS_AT; }
static uint8_t *board_at(const struct st_platform *p, int board) { return words(p) + ST_PAGE + (size_t)board * ST_BOARD_SIZE; }
static _Atomic uint64_t *word64(uint8_t *at) { return (_Atomic uint64_t *)(void *)at; }

bool st_names_words(struct platform *base, struct platform_names_words *w)
{
	uint8_t *at = words((struct st_platform *)base);

	*w = (struct platform_names_words){ .changes = word64(at + ST_NAMES_CHANGES), .roots = word64(at + ST_NAMES_WHOSE) };
	return true;
}

/* --- who looks at which board ------------------------------------------------------ */

static void let_use(struct st_ctx *c, uint64_t roots)
{
	c->names_roots = roots;
	memcpy(c->slot + ST_NAMES_ROOTS, &roots, sizeof(roots));
}

void st_names_prepare(struct st_ctx *c)
{
	let_use(c, 0);
}

uint64_t st_names_used(const struct platform_ctx *base)
{
	return ((const struct st_ctx *)base)->names_roots;
}

/* The board of that key, or else one that nobody maps; counted.  -1: there is none. */
static int take(struct st_platform *p, const uint8_t *key)
{
	int found = -1, i;

	mutex_lock(&p->names_mu);
	for (i = 0; i < ST_MAX_BOARDS; i++)
		if (p->boards[i].keyed && !memcmp(p->boards[i].key, key, PLATFORM_KEY_SIZE))
			found = i;
	for (i = 0; i < ST_MAX_BOARDS && found < 0; i++) {
		if (p->boards[i].users)
			continue;
		found = i;
		memset(board_at(p, i), 0, ST_BOARD_SIZE); /* others' names */
		memcpy(p->boards[i].key, key, PLATFORM_KEY_SIZE);
		p->boards[i].keyed = true;
	}
	if (found >= 0)
		p->boards[found].users++;
	mutex_unlock(&p->names_mu);
	return found;
}

static void give_back(struct st_as *as)
{
	mutex_lock(&as->p->names_mu);
	as->p->boards[as->board].users--;
	mutex_unlock(&as->p->names_mu);
	as->board = -1;
}

void st_names_end(struct st_as *as)
{
	if (as->board >= 0)
		give_back(as);
}

/* It is not mapped any more, or the process is dead: then it is given back at its end. */
static void unmap_locked(struct st_as *as)
{
	const struct st_order o = { .nr = SYS_munmap, .arg = { ST_NAMES, ST_PAGE + ST_BOARD_SIZE } };
	int64_t result = -1;

	as->no_board = true;
	if (as->board < 0)
		return;
	atomic_fetch_add(word64(words(as->p) + ST_NAMES_WHOSE), 1); /* its other threads look there no more */
	if (st_orders_run(as, &o, 1, &result))
		return;
	if (result)
		st_as_kill_locked(as);
	else
		give_back(as);
}

static bool map_locked(struct st_as *as, const uint8_t *key)
{
	struct st_order o[] = {
		{ .nr = SYS_mmap, .arg = { ST_NAMES, ST_PAGE, PROT_READ, MAP_SHARED | MAP_FIXED | MAP_POPULATE, ST_FD_SLOTS, ST_BOARDS_AT } },
		{ .nr = SYS_mmap, .arg = { ST_BOARD, ST_BOARD_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED | MAP_POPULATE, ST_FD_SLOTS } },
	};
	int64_t result = -1;

	as->board = take(as->p, key);
	if (as->board < 0)
		return false;
	o[1].arg[5] = (uint64_t)(board_at(as->p, as->board) - as->p->slots);
	if (!st_orders_run(as, o, 2, &result) && (uint64_t)result == ST_BOARD)
		return true;
	unmap_locked(as);
	return false;
}

bool st_names_use(struct platform_ctx *base, const uint8_t key[PLATFORM_KEY_SIZE], uint64_t roots)
{
	struct st_ctx *c = (struct st_ctx *)base;
	struct st_as *as = c->as;
	bool ok;

	if (!as)
		return false;
	mutex_lock(&as->mu);
	ok = !as->no_board;
	if (ok && as->board < 0)
		ok = map_locked(as, key);
	else if (ok && memcmp(as->p->boards[as->board].key, key, PLATFORM_KEY_SIZE)) /* the key stays while it is used */
		ok = (unmap_locked(as), false);
	mutex_unlock(&as->mu);
	let_use(c, ok ? roots : 0);
	return ok;
}

void st_names_leave(struct platform_ctx *base)
{
	struct st_ctx *c = (struct st_ctx *)base;

	if (!c->as)
		return;
	let_use(c, 0);
	mutex_lock(&c->as->mu);
	unmap_locked(c->as);
	mutex_unlock(&c->as->mu);
}

/* --- what is on it -------------------------------------------------------------------- */

/* As names.S computes it: of a path with zeros behind it. */
static uint64_t hash(const uint8_t *path, unsigned last, bool nofollow)
{
	uint64_t h = nofollow ? ST_HASH_NOFOLLOW : 0, w;

	for (unsigned i = 0; i <= last; i += sizeof(w)) {
		memcpy(&w, path + i, sizeof(w));
		h = (h ^ w) * ST_HASH_FACTOR;
		h = h << ST_HASH_ROTATE | h >> (64 - ST_HASH_ROTATE);
	}
	return h;
}

/* The entry of that hash, or one that nothing is lost with, or any. */
static uint8_t *entry_for(uint8_t *board, uint64_t h, uint64_t changes)
{
	uint8_t *first = board + (h >> ST_ENTRY_PLACE_SHIFT) * 2 * ST_ENTRY_SIZE, *second = first + ST_ENTRY_SIZE;

	if (atomic_load(word64(first + ST_ENTRY_HASH)) == h)
		return first;
	if (atomic_load(word64(second + ST_ENTRY_HASH)) == h)
		return second;
	if (atomic_load(word64(first + ST_ENTRY_CHANGES)) != changes)
		return first;
	return atomic_load(word64(second + ST_ENTRY_CHANGES)) != changes || h & 1 ? second : first;
}

static void put(struct st_platform *p, uint8_t *board, const struct platform_name *n)
{
	uint64_t until = __rdtsc() + st_place_ticks(p, (uint64_t)n->ns), h;
	uint32_t last = n->len & ~7u, missing = n->missing;
	uint8_t path[ST_PATH_MAX] = { 0 }, *e;

	memcpy(path, n->path, n->len);
	h = hash(path, last, n->nofollow);
	mutex_lock(&p->names_mu);
	e = entry_for(board, h, n->changes);
	atomic_store(word64(e + ST_ENTRY_CHANGES), 0);
	atomic_store(word64(e + ST_ENTRY_HASH), h);
	memcpy(e + ST_ENTRY_LAST, &last, sizeof(last));
	memcpy(e + ST_ENTRY_MISSING, &missing, sizeof(missing));
	memcpy(e + ST_ENTRY_STAT, n->stat, sizeof(n->stat));
	memcpy(e + ST_ENTRY_PATH, path, sizeof(path));
	atomic_store(word64(words(p) + ST_NAMES_UNTIL), until);
	atomic_store(word64(e + ST_ENTRY_CHANGES), n->changes);
	mutex_unlock(&p->names_mu);
}

void st_tell_name(struct platform_ctx *base, const struct platform_name *n)
{
	struct st_as *as = ((struct st_ctx *)base)->as;

	if (!as)
		return;
	mutex_lock(&as->mu);
	if (as->board >= 0) /* else another thread has lost it for all */
		put(as->p, board_at(as->p, as->board), n);
	mutex_unlock(&as->mu);
}
