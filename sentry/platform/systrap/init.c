/*
 * init.c - the systrap platform itself: what it finds out of the machine at boot,
 * and its table of operations.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define HWCAP2_FSGSBASE 2u
_Static_assert(ST_SLOTS >= TASK_SIZE && ST_ORDERS >= TASK_SIZE && ST_TEXT >= TASK_SIZE, "the stub lies above the program");

extern const uint8_t st_stub_image[], st_stub_image_end[];

/* The slots' file: slots, then rings, then boards. */
#define SLOTS_SIZE (ST_BOARDS_AT + ST_MAX_BOARDS * (size_t)ST_BOARD_SIZE + ST_PAGE)
_Static_assert(ST_BOARDS_AT == (size_t)ST_MAX_SLOTS * ST_SLOT_SIZE + ST_MAX_RINGS * ST_RING_STRIDE, "one behind the other");
_Static_assert(ST_RINGS == ST_SLOTS + ST_MAX_SLOTS * ST_SLOT_SIZE && ST_RINGS + ST_MAX_RINGS * ST_RING_STRIDE <= ST_ORDERS, "and so in stubs");

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* From Linux 6.11 on whoever waits in SECCOMP_IOCTL_NOTIF_RECV learns that nobody is
 * left to send; before, only poll() tells. */
static bool receive_ends(void)
{
	unsigned major = 0, minor = 0;
	struct utsname u;

	return !uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2 && (major > 6 || (major == 6 && minor >= 11));
}

static struct err *make_slots(struct st_platform *p)
{
	p->slots_fd = memfd_create("slots", MFD_CLOEXEC);
	if (p->slots_fd < 0)
		return err_new(errno, "cannot make the slots' file");
	if (ftruncate(p->slots_fd, (off_t)SLOTS_SIZE))
		return err_new(errno, "cannot size the slots' file");
	p->slots = mmap(NULL, SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, p->slots_fd, 0);
	if (p->slots == MAP_FAILED)
		return err_new(errno, "cannot map the slots");
	return NULL;
}

/* Starting the zygote takes long enough to see how fast the counter ticks. */
static struct err *start(struct st_platform *p)
{
	int64_t t0 = now_ns();
	uint64_t c0 = __rdtsc();
	struct err *e = make_slots(p);

	if (!e)
		e = st_near_init(p);
	if (!e)
		e = stub_zygote_start(&p->zygote,
			&(struct stub_zygote_start){ st_stub_image, st_stub_image_end, .mem_fd = p->mem_fd, .extra_fd = { p->slots_fd, p->done_stubs } });
	p->spin_max = (uint64_t)((double)(__rdtsc() - c0) / (double)(now_ns() - t0) * ST_SPIN_NS);
	return e;
}

static struct err *st_init(int mem_fd, struct platform **out)
{
	struct st_platform *p = aligned_alloc(_Alignof(struct st_platform), sizeof(*p));
	struct err *e;

	if (!p)
		return err_new(ENOMEM, "cannot start the systrap platform");
	memset(p, 0, sizeof(*p));
	p->base.ops = &platform_systrap;
	p->mem_fd = mem_fd;
	p->receive_ends = receive_ends();
	p->rest_new = SPIN_REST_NEW;
	p->zygote_off = -1;
	st_place_init(p);
	p->fsgsbase = getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE;
	p->stub_flags |= p->fsgsbase ? ST_HAS_FSGSBASE : 0;
	mutex_init(&p->zygote_mu, RANK_PLATFORM);
	mutex_init(&p->mu, RANK_PLATFORM);
	mutex_init(&p->pool_mu, RANK_PLATFORM);
	pthread_cond_init(&p->pool_wanted, NULL);
	SLIST_INIT(&p->ready);
	mutex_init(&p->slots_mu, RANK_LEAF);
	mutex_init(&p->living_mu, RANK_LEAF);
	for (unsigned i = 0; i < ST_LIVING_LISTS; i++)
		LIST_INIT(&p->living[i]);
	mutex_init(&p->line_mu, RANK_LEAF);
	TAILQ_INIT(&p->line);
	TAILQ_INIT(&p->line_woken);
	mutex_init(&p->names_mu, RANK_LEAF);
	mutex_init(&p->rings_mu, RANK_LEAF);
	TAILQ_INIT(&p->rings_old);
	e = st_frame_fits() ? start(p) : err_new(0, "this processor's state is too large: use --platform ptrace");
	if (e)
		return err_wrap(e, "cannot start the systrap platform"); /* the sentry ends */
	*out = &p->base;
	return NULL;
}

const struct platform_ops platform_systrap = {
	.name = "systrap",
	.init = st_init,
	.as_new = st_as_new,
	.as_free = st_as_free,
	.as_reusable = st_as_reusable,
	.as_orders = st_as_orders,
	.as_orders_near = st_as_orders_near,
	.as_settle = st_as_settle,
	.as_nothing = st_as_nothing,
	.as_traps = st_as_traps,
	.ctx_new = st_ctx_new,
	.ctx_free = st_ctx_free,
	.ctx_bind = st_ctx_bind,
	.run = st_run,
	.rest = st_handover_rest,
	.rests_soon = st_seat_rests_soon,
	.brief = st_ctx_brief,
	.soon = st_ctx_soon,
	.wakes = st_seat_wakes,
	.interrupt = st_ctx_interrupt,
	.cpu_time = st_ctx_cpu_time,
	.fpstate_get = st_fpstate_get,
	.fpstate_set = st_fpstate_set,
	.set_singlestep = st_set_singlestep,
	.complete = st_patch_complete,
	.look = st_patch_look,
	.answer = st_ctx_answer,
	.mask_lend = st_mask_lend,
	.mask_take = st_mask_take,
	.robust_get = st_robust_get,
	.robust_set = st_robust_set,
	.records_get = st_records_get,
	.records_put = st_records_put,
	.records_use = st_records_use,
	.tell_file = st_tell_file,
	.file_moved = st_file_moved,
	.file_closed = st_file_closed,
	.window = st_window,
	.window_show = st_window_show,
	.window_end = st_window_end,
	.names_words = st_names_words,
	.names_use = st_names_use,
	.names_used = st_names_used,
	.names_leave = st_names_leave,
	.tell_name = st_tell_name,
	.ring_new = st_ring_new,
	.ring_get = st_ring_get,
	.ring_put = st_ring_put,
	.takes_turns = st_takes_turns,
	.ring_lend = st_ring_lend,
	.ring_is_others = st_ring_is_others,
	.ring_turns = st_ring_turns,
	.ring_spins = st_ring_spins,
	.ring_await = st_ring_await,
	.ring_streams = st_ring_streams,
	.ring_wake = st_ring_wake,
	.rings_end = st_rings_end,
	.rings_moved = st_rings_moved,
	.ring_faulted = st_ring_faulted,
	.patching = &st_patching,
};
