/*
 * debug_stacks.c - call chains of the sentry's threads, with function names.  See debug.h.
 *
 * The sentry reports addresses as offsets in its executable file; the names come from that file's
 * symbol table.  Without one the addresses are printed, for addr2line(1).
 */
#include "debug.h"

#include "libipc/fd.h"
#include "program.h"
#include "symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define STACKS_SIZE (16u << 20)

/* The file that the sentry was started from, though it may have been replaced since; else
 * the one that we would start. */
static struct err *open_sentry(const struct debug *d, int *out)
{
	struct sandbox first = SANDBOX_NONE;
	struct err *e = d->s->state.sandbox ? sandbox_open(d->c, d->s->state.sandbox, &first) : NULL;
	const struct state *st = d->s->state.sandbox ? &first.state : &d->s->state;
	const char *path;

	if (e)
		return e;
	*out = st->sentry ? open(pool_printf(d->c->pool, "/proc/%llu/exe", (unsigned long long)st->sentry->pid), O_RDONLY | O_CLOEXEC) : -1;
	sandbox_close(&first);
	if (*out < 0 && !(e = program_find("sentry", d->c->pool, &path)) && (*out = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		e = err_new(errno, "%s", path);
	return e;
}

static struct err *read_symbols(const struct debug *d, struct symbols *out)
{
	_cleanup_close_ int fd = -1;
	struct err *e = open_sentry(d, &fd);

	return e ? e : symbols_read(fd, d->c->pool, out);
}

/* A return address lies behind the call, which may be its function's last instruction. */
static const struct symbol *frame_symbol(const struct symbols *names, const uint64_t *frames, uint32_t i)
{
	return symbol_at(names, i ? frames[i] - 1 : frames[i]);
}

static void print_thread(const struct symbols *names, const struct control_thread *t)
{
	printf("thread %llu, %s", (unsigned long long)t->thread, t->name.p);
	if (t->task)
		printf(": task %llu (%s)", (unsigned long long)t->task, t->command.p);
	if (t->call.len) {
		printf(" in %s(", t->call.p);
		for (uint32_t i = 0; i < t->n_args; i++)
			printf("%s0x%llx", i ? ", " : "", (unsigned long long)t->args[i]);
		printf(")");
	}
	printf("%s\n", t->answered ? "" : ": does not answer");
	for (uint32_t i = 0; i < t->n_frames; i++) {
		const struct symbol *s = frame_symbol(names, t->frames, i);

		if (s)
			printf("    0x%08llx %s+0x%llx\n", (unsigned long long)t->frames[i], s->name, (unsigned long long)(t->frames[i] - s->address));
		else
			printf("    0x%08llx\n", (unsigned long long)t->frames[i]);
	}
}

/* What a program can have named holds no control bytes on its way to a terminal. */
static void clean(struct msg_str *s, struct pool *p)
{
	char *text = pool_strdup(p, s->p);

	for (char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			*at = '?';
	s->p = text;
}

struct err *debug_stacks(const struct debug *d)
{
	_cleanup_close_ int out = -1;
	struct control_stacks request = { .id = msg_str(d->s->dir.id) };
	struct control_stacks_reply reply;
	struct control_threads all;
	struct symbols names;
	struct msg_arena a = { 0 };
	struct err *e;

	if ((e = read_symbols(d, &names)) || (e = msg_answer_file(STACKS_SIZE, &out)))
		return e;
	request.out = out;
	if ((e = RPC_CALL(d->rpc, control, stacks, &request, &reply, &a, CLIENT_QUICK_MS)))
		return e;
	if ((e = msg_answer_read(&control_threads_desc, out, reply.length, &all, &a)))
		return e;
	for (uint32_t i = 0; i < all.n_threads; i++) {
		clean(&all.threads[i].name, d->c->pool);
		clean(&all.threads[i].command, d->c->pool);
		print_thread(&names, &all.threads[i]);
	}
	msg_free(&control_threads_desc, &all, &a);
	return NULL;
}

/* --- profiles ---------------------------------------------------------------------- */

/* Waits for a lock are told from other sleeps by what was called. */
static bool waits_for_lock(const struct symbols *names, const struct control_chain *c)
{
	for (uint32_t i = 0; i < c->n_frames && i < 4; i++) {
		const struct symbol *s = frame_symbol(names, c->frames, i);

		if (s && strstr(s->name, "lock_wait"))
			return true;
	}
	return false;
}

static void print_chain(FILE *f, const struct symbols *names, const struct control_chain *c, uint64_t *total)
{
	fprintf(f, "%s", c->thread.p);
	for (uint32_t i = c->n_frames; i-- > 0;) {
		const struct symbol *s = frame_symbol(names, c->frames, i);

		if (s)
			fprintf(f, ";%s", s->name);
		else
			fprintf(f, ";0x%llx", (unsigned long long)c->frames[i]);
	}
	fprintf(f, " %llu\n", (unsigned long long)c->count);
	*total += c->count;
}

static struct err *print_profile(const struct debug *d, enum debug_profile kind, const char *file, struct control_profile_data *data)
{
	struct symbols names;
	uint64_t total = 0;
	struct err *e = read_symbols(d, &names);
	FILE *f;

	if (e)
		return e;
	if (!(f = fopen(file, "we")))
		return err_new(errno, "%s", file);
	for (uint32_t i = 0; i < data->n_chains; i++) {
		clean(&data->chains[i].thread, d->c->pool);
		if (kind != DEBUG_PROFILE_MUTEX || waits_for_lock(&names, &data->chains[i]))
			print_chain(f, &names, &data->chains[i], &total);
	}
	if (kind == DEBUG_PROFILE_HEAP)
		fprintf(stderr, "%llu bytes of %llu allocations are held%s\n", (unsigned long long)total, (unsigned long long)data->samplings,
			data->lost ? "; some found no place" : "");
	else
		fprintf(stderr, "%llu samples of %llu, one each %.1f ms%s\n", (unsigned long long)total, (unsigned long long)data->samplings,
			(double)data->interval_ns / 1e6, data->lost ? "; some chains found no place" : "");
	return fclose(f) ? err_new(errno, "%s", file) : NULL;
}

struct err *debug_profile(const struct debug *d, enum debug_profile kind, const char *file, int ms)
{
	static const uint64_t kinds[DEBUG_PROFILES] = { [DEBUG_PROFILE_BLOCK] = 1, [DEBUG_PROFILE_MUTEX] = 1, [DEBUG_PROFILE_HEAP] = 2 };
	_cleanup_close_ int out = -1;
	struct control_profile request = { .id = msg_str(d->s->dir.id), .kind = kinds[kind], .duration_ms = (uint64_t)ms };
	struct control_profile_reply reply;
	struct control_profile_data data;
	struct msg_arena a = { 0 };
	struct err *e = msg_answer_file(STACKS_SIZE, &out);

	if (e)
		return e;
	request.out = out;
	if ((e = RPC_CALL(d->rpc, control, profile, &request, &reply, &a, (unsigned)ms + CLIENT_QUICK_MS)) ||
		(e = msg_answer_read(&control_profile_data_desc, out, reply.length, &data, &a)))
		return e;
	e = print_profile(d, kind, file, &data);
	msg_free(&control_profile_data_desc, &data, &a);
	return e;
}
