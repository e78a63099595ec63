/*
 * libipc_json.c - fuzzes the reading of messages from JSON: what is accepted
 * must encode or be refused with an error, and decode to the same.
 * Input: the message's name, a newline, JSON.
 */
#include "tests/unit/libipc/gen.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	struct gen_walk w = { 0 };
	const struct msg_desc *d;
	if (!end)
		return 0;
	while ((d = gen_walk(&w)))
		if (strlen(d->name) == (size_t)(end - data) && memcmp(d->name, data, (size_t)(end - data)) == 0)
			break;
	json_t *j = d ? json_loadb((const char *)end + 1, size - (size_t)(end + 1 - data), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL) : NULL;
	if (!j)
		return 0;
	struct msg_arena a = { NULL }, b = { NULL };
	void *msg = calloc(1, d->size + 1), *again = calloc(1, d->size + 1);
	uint8_t *buf = NULL;
	size_t len = 0;
	struct err *e = msg_from_json(d, j, msg, &a);
	if (!e)
		e = msg_encode_buf(d, msg, &buf, &len); /* refuses descriptors */
	if (!e) {
		e = msg_decode_buf(d, buf, len, again, &b);
		if (e) {
			fprintf(stderr, "%s\n", err_text(e));
			abort();
		}
	}
	err_free(e);
	msg_arena_free(&a);
	msg_arena_free(&b);
	free(buf);
	free(msg);
	free(again);
	json_decref(j);
	return 0;
}
