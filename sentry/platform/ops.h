/*
 * ops.h - what a platform implements; platform.c passes platform.h's functions
 * on to it.  Each platform's own structs begin with the base ones below.
 */
#ifndef SENTRY_PLATFORM_OPS_H
#define SENTRY_PLATFORM_OPS_H

#include "platform/platform.h"

/* Contracts as in platform.h. */
struct platform_ops {
	const char *name;
	struct err *(*init)(int mem_fd, struct platform **out);
	struct platform_as *(*as_new)(struct platform *p);
	void (*as_free)(struct platform_as *as);
	bool (*as_reusable)(struct platform_as *as, struct platform_ctx *c); /* optional: never */
	int (*as_orders)(struct platform_as *as, const struct platform_order *o, unsigned n); /* ranges are checked */
	bool (*as_orders_near)(struct platform_as *as, const struct platform_order *o, unsigned n); /* optional; ranges are checked */
	int (*as_settle)(struct platform_as *as); /* if there is as_orders_near */
	void (*as_nothing)(struct platform_as *as, uint64_t start, uint64_t len); /* optional */
	void (*as_traps)(struct platform_as *as, uint64_t at); /* optional */
	struct platform_ctx *(*ctx_new)(struct platform *p, struct platform_as *as);
	void (*ctx_free)(struct platform_ctx *c);
	void (*ctx_bind)(struct platform_ctx *c);
	enum platform_event (*run)(struct platform_ctx *c, struct platform_as *as, struct regs *r, struct platform_trap *trap);
	void (*interrupt)(struct platform_ctx *c);
	bool (*cpu_time)(struct platform_ctx *c, struct platform_cpu_time *out);
	void (*fpstate_get)(struct platform_ctx *c, struct fpstate *fp);
	void (*fpstate_set)(struct platform_ctx *c, const struct fpstate *fp);
	void (*set_singlestep)(struct platform_ctx *c, bool on);
	/* Optional: */
	void (*rest)(struct platform_ctx *c);
	void (*rests_soon)(struct platform_ctx *c);
	bool (*brief)(struct platform_ctx *c, bool on);
	void (*soon)(struct platform_ctx *c);
	enum wake_when (*wakes)(struct platform *p, struct sleeper *s);
	void (*complete)(struct platform_ctx *c, struct regs *r);
	void (*look)(struct platform_ctx *c, struct regs *r);
	void (*answer)(struct platform_ctx *c, enum platform_answer which, uint64_t value);
	bool (*mask_lend)(struct platform_ctx *c, uint64_t mask, uint64_t held);
	uint64_t (*mask_take)(struct platform_ctx *c); /* if there is mask_lend */
	uint64_t (*robust_get)(struct platform_ctx *c);
	void (*robust_set)(struct platform_ctx *c, uint64_t head); /* if there is robust_get */
	bool (*records_get)(struct platform_ctx *c, struct platform_records *r); /* if there, the next two also */
	void (*records_put)(struct platform_records *r);
	bool (*records_use)(struct platform_ctx *c, const struct platform_records *r);
	_Atomic uint64_t *(*tell_file)(struct platform_ctx *c, const struct platform_file *f, uint64_t *until); /* if there, the next also */
	void (*file_moved)(struct platform_ctx *c, int64_t pos, enum platform_end end);
	bool (*file_closed)(struct platform_ctx *c);
	uint8_t *(*window)(struct platform_ctx *c); /* if there, the next two also */
	_Atomic uint64_t *(*window_show)(struct platform_ctx *c, const struct platform_window *w);
	void (*window_end)(struct platform_ctx *c);
	bool (*names_words)(struct platform *p, struct platform_names_words *w); /* if there, all of these */
	bool (*names_use)(struct platform_ctx *c, const uint8_t key[PLATFORM_KEY_SIZE], uint64_t roots);
	uint64_t (*names_used)(const struct platform_ctx *c);
	void (*names_leave)(struct platform_ctx *c);
	void (*tell_name)(struct platform_ctx *c, const struct platform_name *n);
	struct platform_ring *(*ring_new)(struct platform_ctx *c); /* if there, all of these */
	void (*ring_get)(struct platform_ring *r);
	void (*ring_put)(struct platform_ring *r);
	bool (*takes_turns)(const struct platform_ctx *c);
	bool (*ring_lend)(struct platform_ctx *c, struct platform_ring *r, enum platform_side side, int fd);
	bool (*ring_is_others)(struct platform_ring *r, enum platform_side side);
	bool (*ring_turns)(void);
	bool (*ring_spins)(struct platform_ring *r);
	bool (*ring_await)(struct platform_ring *r, struct sleeper *s);
	void (*ring_streams)(struct platform_ring *r, bool streams);
	void (*ring_wake)(struct platform_ring *r);
	void (*rings_end)(struct platform_ctx *c);
	void (*rings_moved)(struct platform_ctx *c, struct platform_moved moved[2]);
	bool (*ring_faulted)(struct platform_ctx *c);
	const struct platform_patching *patching;
};

struct platform {
	const struct platform_ops *ops; /* [I] */
};
struct platform_as {
	const struct platform_ops *ops; /* [I] */
};
struct platform_ctx {
	const struct platform_ops *ops; /* [I] */
};

extern const struct platform_ops platform_ptrace, platform_systrap;

#endif
