/*
 * gen.h - messages with generated values, from the same tables that encode
 * them: for round trips and for the fuzzers' first corpus.  Deterministic.
 */
#ifndef REDOUBT_TESTS_LIBIPC_GEN_H
#define REDOUBT_TESTS_LIBIPC_GEN_H

#include "libipc/msg_desc.h"
#include "libipc/protocols.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct gen {
	uint64_t state;
	uint32_t list_max; /* longest list, longest string */
	bool no_fds; /* descriptors would be -1: the schema must have none */
	unsigned fds; /* made so far */
	struct msg_arena *arena;
};

static inline uint64_t gen_next(struct gen *g)
{
	g->state = g->state * 6364136223846793005ULL + 1442695040888963407ULL;
	uint64_t x = g->state;
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	return x ^ x >> 29;
}

/* Small numbers, large ones, powers of two and the maximum itself. */
static inline uint64_t gen_u64(struct gen *g, uint64_t max)
{
	uint64_t r = gen_next(g), v;
	switch (r & 7) {
	case 0:
		return max;
	case 1:
		v = 1ULL << (r >> 8 & 63);
		break;
	case 2:
		v = (1ULL << (r >> 8 & 63)) - 1;
		break;
	case 3:
		v = r >> 8 & 0xff;
		break;
	default:
		v = gen_next(g) >> (r >> 8 & 63);
		break;
	}
	return v <= max ? v : max == UINT64_MAX ? v : v % (max + 1);
}

static inline uint32_t gen_len(struct gen *g, uint64_t max)
{
	uint64_t bound = max < g->list_max ? max : g->list_max;
	return (uint32_t)gen_u64(g, bound);
}

static inline uint8_t *gen_bytes(struct gen *g, uint32_t n, bool no_nul)
{
	uint8_t *p = msg_arena_alloc(g->arena, (size_t)n + 1);
	for (uint32_t i = 0; i < n; i++) {
		p[i] = (uint8_t)gen_next(g);
		if (no_nul && !p[i])
			p[i] = 'a';
	}
	p[n] = 0;
	return p;
}

static inline int gen_fd(struct gen *g)
{
	g->fds++;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static inline void gen_struct(struct gen *g, const struct msg_desc *d, uint8_t *out);

static inline void gen_value(struct gen *g, const struct msg_field *f, uint8_t *v)
{
	uint32_t n;
	switch (f->kind) {
	case MSG_U64:
		*(uint64_t *)(void *)v = gen_u64(g, f->max);
		break;
	case MSG_U64S:
		*(uint64_t *)(void *)v = gen_u64(g, UINT64_MAX);
		break;
	case MSG_I64: {
		uint64_t range = (uint64_t)f->imax - (uint64_t)f->imin;
		int64_t i = (gen_next(g) & 1) ? -(int64_t)(gen_u64(g, INT64_MAX)) : (int64_t)((uint64_t)f->imin + gen_u64(g, range));
		*(int64_t *)(void *)v = i < f->imin ? f->imin : i > f->imax ? f->imax : i;
		break;
	}
	case MSG_BOOL:
		*(bool *)v = gen_next(g) & 1;
		break;
	case MSG_STR:
	case MSG_STRS:
		n = gen_len(g, f->maxlen);
		*(struct msg_str *)(void *)v = (struct msg_str){ (char *)gen_bytes(g, n, true), n };
		break;
	case MSG_BYTES:
		n = gen_len(g, f->maxlen);
		*(struct msg_bytes *)(void *)v = (struct msg_bytes){ gen_bytes(g, n, false), n };
		break;
	case MSG_OPT_FD:
		*(int *)(void *)v = gen_next(g) & 1 ? gen_fd(g) : -1;
		break;
	case MSG_FD:
	case MSG_FDS:
		*(int *)(void *)v = gen_fd(g);
		break;
	case MSG_STRUCT:
	case MSG_LIST:
		gen_struct(g, f->sub, v);
		break;
	}
}

static inline void gen_struct(struct gen *g, const struct msg_desc *d, uint8_t *out)
{
	memset(out, 0, d->size);
	for (const struct msg_field *f = d->fields; f->name; f++) {
		if (f->kind < MSG_LIST) {
			gen_value(g, f, out + f->offset);
			continue;
		}
		uint32_t n = gen_len(g, f->max);
		size_t size = msg_element_size(f);
		uint8_t *p = msg_arena_alloc(g->arena, n * size);
		for (uint32_t i = 0; i < n; i++)
			gen_value(g, f, p + i * size);
		*(void **)(void *)(out + f->offset) = p;
		*(uint32_t *)(void *)(out + f->count_offset) = n;
	}
}

/* Every message and part of every protocol, one after the other: start with
 * {0}; NULL at the end. */
struct gen_walk {
	size_t proto, index, which;
};
static inline const struct msg_desc *gen_walk(struct gen_walk *w)
{
	for (; msg_protocols[w->proto]; w->proto++, w->index = 0, w->which = 0) {
		const struct msg_proto *p = msg_protocols[w->proto];
		while (w->index < p->n_methods) {
			const struct msg_method *m = &p->methods[w->index];
			if (w->which++ == 0)
				return m->request;
			w->which = 0;
			w->index++;
			if (m->reply)
				return m->reply;
		}
		if (w->index < p->n_methods + p->n_parts)
			return p->parts[w->index++ - p->n_methods].desc;
	}
	return NULL;
}

#endif
