/*
 * msg_arena.c - the memory of a decoded message, error paths, and the ends of
 * messages: what the codec and the JSON side share.
 *
 * An arena is a list of malloc'ed blocks, filled from the front; it belongs to
 * one thread at a time.
 */
#include "libipc/msg_desc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct block {
	struct block *next;
	size_t used, size; /* of data */
	uint8_t data[] __attribute__((aligned(16)));
};

#define BLOCK_FIRST 992 /* a small message needs one block */
#define BLOCK_NEXT 8160

void *msg_arena_alloc(struct msg_arena *a, size_t size)
{
	struct block *b = a->blocks;
	size = (size + 7) & ~(size_t)7;
	if (b && b->size - b->used >= size) {
		void *p = b->data + b->used;
		b->used += size;
		return p;
	}
	size_t usual = b ? BLOCK_NEXT : BLOCK_FIRST;
	size_t want = size > usual ? size : usual;
	struct block *n = malloc(sizeof *n + want);
	if (!n)
		return NULL;
	n->used = size;
	n->size = want;
	/* a large piece of its own goes behind the block that has room still */
	if (b && size > usual) {
		n->next = b->next;
		b->next = n;
	} else {
		n->next = b;
		a->blocks = n;
	}
	return n->data;
}

void msg_arena_free(struct msg_arena *a)
{
	struct block *b = a->blocks;
	while (b) {
		struct block *next = b->next;
		free(b);
		b = next;
	}
	a->blocks = NULL;
}

void msg_arena_join(struct msg_arena *a, struct msg_arena *from)
{
	void **end = &from->blocks;
	while (*end)
		end = (void **)&((struct block *)*end)->next;
	*end = a->blocks;
	a->blocks = from->blocks;
	from->blocks = NULL;
}

size_t msg_element_size(const struct msg_field *f)
{
	switch (f->kind) {
	case MSG_LIST:
		return f->sub->size;
	case MSG_STRS:
		return sizeof(struct msg_str);
	case MSG_U64S:
		return sizeof(uint64_t);
	case MSG_FDS:
		return sizeof(int);
	case MSG_U64:
	case MSG_I64:
	case MSG_BOOL:
	case MSG_STR:
	case MSG_BYTES:
	case MSG_FD:
	case MSG_OPT_FD:
	case MSG_STRUCT:
		break;
	}
	return 0;
}

/* The least bytes that a struct takes: its array head and each field. */
static size_t struct_min(const struct msg_desc *d)
{
	size_t n = 1;
	for (const struct msg_field *f = d->fields; f->name; f++)
		n += f->kind == MSG_STRUCT ? struct_min(f->sub) : f->kind == MSG_STR || f->kind == MSG_BYTES ? 2 : 1;
	return n;
}

size_t msg_wire_min(const struct msg_field *f)
{
	return f->kind == MSG_LIST ? struct_min(f->sub) : f->kind == MSG_STRS ? 2 : 1;
}

static void close_fds(const struct msg_desc *d, uint8_t *msg)
{
	for (const struct msg_field *f = d->fields; f->name; f++) {
		uint8_t *v = msg + f->offset;
		if (f->kind == MSG_FD || f->kind == MSG_OPT_FD) {
			int *fd = (int *)(void *)v;
			if (*fd >= 0)
				close(*fd);
			*fd = -1;
		} else if (f->kind == MSG_FDS) {
			int *fds = *(int **)(void *)v;
			uint32_t *n = (uint32_t *)(void *)(msg + f->count_offset);
			for (uint32_t i = 0; i < *n; i++)
				if (fds[i] >= 0)
					close(fds[i]);
			*n = 0;
		} else if (f->kind == MSG_STRUCT) {
			close_fds(f->sub, v);
		} else if (f->kind == MSG_LIST && msg_desc_has_fds(f->sub)) {
			uint8_t *list = *(uint8_t **)(void *)v;
			uint32_t n = *(uint32_t *)(void *)(msg + f->count_offset);
			for (uint32_t i = 0; i < n; i++)
				close_fds(f->sub, list + (size_t)i * f->sub->size);
		}
	}
}

void msg_free(const struct msg_desc *d, void *msg, struct msg_arena *a)
{
	/* without an arena nothing was decoded, and zeroed fields are no descriptors */
	if (a->blocks)
		close_fds(d, msg);
	msg_arena_free(a);
}

/* Appends "a.b[3]" for the path to buf. */
static void path_text(const struct msg_path *at, char *buf, size_t size)
{
	if (at->up)
		path_text(at->up, buf, size);
	size_t n = strlen(buf);
	if (at->index >= 0)
		snprintf(buf + n, size - n, "%s%s[%lld]", at->up ? "." : "", at->name, (long long)at->index);
	else
		snprintf(buf + n, size - n, "%s%s", at->up ? "." : "", at->name);
}

struct err *msg_path_error(const struct msg_path *at, int errnum, const char *fmt, ...)
{
	char path[512] = "", text[512];
	path_text(at, path, sizeof path);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_with_text(errnum, "%s: %s", path, text);
}
