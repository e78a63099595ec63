/*
 * ref.h - reference counts that saturate: a count that would overflow sticks
 * and its object is never freed (a leak, not a use after free).
 */
#ifndef SENTRY_LIB_REF_H
#define SENTRY_LIB_REF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define REF_SATURATED (UINT32_C(1) << 31)

struct ref {
	_Atomic uint32_t n;
};

static inline void ref_init(struct ref *r) { atomic_init(&r->n, 1); }

static inline void ref_get(struct ref *r)
{
	uint32_t old = atomic_fetch_add_explicit(&r->n, 1, memory_order_relaxed);

	if (__builtin_expect(old == 0 || old >= REF_SATURATED, 0)) {
		if (old == 0)
			__builtin_trap(); /* resurrecting a dead object */
		atomic_store_explicit(&r->n, REF_SATURATED + (REF_SATURATED >> 1), memory_order_relaxed);
	}
}

/* Takes a reference unless the object is dying already. */
static inline bool ref_get_unless_zero(struct ref *r)
{
	uint32_t old = atomic_load_explicit(&r->n, memory_order_relaxed);

	do {
		if (old == 0)
			return false;
		if (old >= REF_SATURATED)
			return true;
	} while (!atomic_compare_exchange_weak_explicit(&r->n, &old, old + 1, memory_order_acquire, memory_order_relaxed));
	return true;
}

/* True when that was the last one: the caller frees the object. */
static inline bool ref_put(struct ref *r)
{
	uint32_t old = atomic_load_explicit(&r->n, memory_order_relaxed);

	if (old >= REF_SATURATED)
		return false;
	old = atomic_fetch_sub_explicit(&r->n, 1, memory_order_acq_rel);
	if (old == 0)
		__builtin_trap();
	return old == 1;
}

static inline uint32_t ref_count(const struct ref *r) { return atomic_load_explicit(&r->n, memory_order_relaxed); }

#endif
