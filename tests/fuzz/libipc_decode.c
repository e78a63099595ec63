/*
 * libipc_decode.c - fuzzes the strict decoder of every message.
 *
 * Input: the message's name ("gofer_walk"), a newline, a byte with the number
 * of descriptors, the body.  What decodes must encode to the very same bytes
 * (a message has one encoding), and survive JSON.
 */
#include "tests/unit/libipc/gen.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct msg_desc *find(const char *name, size_t len)
{
	struct gen_walk w = { 0 };
	const struct msg_desc *d;
	while ((d = gen_walk(&w)))
		if (strlen(d->name) == len && memcmp(d->name, name, len) == 0)
			return d;
	return NULL;
}

static void must(struct err *e)
{
	if (!e)
		return;
	fprintf(stderr, "%s\n", err_text(e));
	abort();
}

/* in decodes to out: then out encodes to in, also by way of JSON. */
static void check_one_encoding(const struct msg_desc *d, const struct frame *in, void *out)
{
	struct msg_arena a = { NULL };
	void *again = calloc(1, d->size + 1);
	struct frame f = { 0 };
	json_t *j;
	must(msg_encode(d, out, &f));
	if (f.body_len != in->body_len || memcmp(f.body, in->body, f.body_len) != 0)
		abort();
	frame_free(&f);
	must(msg_to_json(d, out, &j));
	must(msg_from_json(d, j, again, &a));
	must(msg_encode(d, again, &f));
	if (f.body_len != in->body_len || memcmp(f.body, in->body, f.body_len) != 0)
		abort();
	frame_free(&f);
	json_decref(j);
	msg_arena_free(&a);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	if (!end || end + 2 > data + size)
		return 0;
	const struct msg_desc *d = find((const char *)data, (size_t)(end - data));
	size_t len = size - (size_t)(end + 2 - data);
	if (!d || len > FRAME_MAX - 20)
		return 0;
	uint8_t *body = malloc(len + !len); /* exactly, so that a byte too far is seen */
	memcpy(body, end + 2, len);
	struct frame f = { .body = body, .body_len = len, .nfds = end[1] % (FRAME_FDS_MAX + 1), .owns_fds = true };
	for (unsigned i = 0; i < f.nfds; i++)
		f.fds[i] = 1000000 + (int)i; /* not open: closing them does nothing */
	struct msg_arena a = { NULL };
	void *out = calloc(1, d->size + 1);
	struct err *e = msg_decode(d, &f, out, &a);
	if (!e) {
		check_one_encoding(d, &f, out);
		msg_free(d, out, &a);
	}
	err_free(e);
	free(out);
	free(body);
	return 0;
}
