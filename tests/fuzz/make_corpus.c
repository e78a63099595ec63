/*
 * make_corpus.c - writes the first corpus of libipc's fuzz targets from the
 * protocols' own tables: make_corpus DIRECTORY.
 */
#include "tests/unit/libipc/gen.h"

#include <stdio.h>

static void save(const char *dir, const char *target, const char *name, int n, const char *head, size_t head_len, const void *p, size_t len)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s/%s.%d", dir, target, name, n);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(head, 1, head_len, f) != head_len || fwrite(p, 1, len, f) != len || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static void one(const char *dir, const struct msg_desc *d, int n)
{
	struct msg_arena a = { NULL };
	struct gen g = { .state = (uint64_t)n + 11, .list_max = n ? 3 : 1, .arena = &a };
	uint8_t *in = calloc(1, d->size + 1);
	struct frame f = { 0 };
	char head[128];
	json_t *j = NULL;
	msg_arena_alloc(&a, 1);
	gen_struct(&g, d, in);
	struct err *e = msg_encode(d, in, &f);
	if (!e)
		e = msg_to_json(d, in, &j);
	if (e) {
		fprintf(stderr, "%s\n", err_text(e));
		exit(1);
	}
	snprintf(head, sizeof head, "%s\n%c", d->name, (int)f.nfds);
	save(dir, "libipc_decode", d->name, n, head, strlen(d->name) + 2, f.body, f.body_len);
	char *text = json_dumps(j, JSON_COMPACT);
	save(dir, "libipc_json", d->name, n, head, strlen(d->name) + 1, text, strlen(text));
	free(text);
	json_decref(j);
	for (size_t p = 0; msg_protocols[p]; p++) {
		for (uint32_t i = 0; i < msg_protocols[p]->n_methods; i++) {
			const struct msg_method *m = &msg_protocols[p]->methods[i];
			if (m->request != d && m->reply != d)
				continue;
			uint8_t kind = m->reply == d ? 1 : m->reply ? 0 : 3;
			char envelope[5] = { (char)0x95, 1, (char)kind, kind == 3 ? 0 : 7, (char)m->id };
			save(dir, "libipc_frame", d->name, n, envelope, 5, f.body, f.body_len);
		}
	}
	frame_free(&f);
	msg_free(d, in, &a);
	free(in);
}

int main(int argc, char **argv)
{
	struct gen_walk w = { 0 };
	const struct msg_desc *d;
	if (argc != 2)
		return 2;
	while ((d = gen_walk(&w)))
		for (int n = 0; n < 2; n++)
			one(argv[1], d, n);
	return 0;
}
