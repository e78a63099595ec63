/*
 * test_strict.c - what the decoder must refuse, and what it says then.
 */
#include "check_main.h"
#include "gen.h"

#include "libipc/msgpack.h"

#include <errno.h>
#include <malloc.h>
#include <unistd.h>

static char text[1024];

/* Decodes bytes with n_fds descriptors; the error's text or "". */
static const char *refused(const struct msg_desc *d, const uint8_t *p, size_t n, unsigned n_fds)
{
	struct msg_arena a = { NULL };
	uint8_t *copy = malloc(n ? n : 1); /* so that a sanitizer sees a byte too far */
	uint8_t *out = malloc(d->size + 1);
	struct frame f = { .body = copy, .body_len = n, .nfds = n_fds, .owns_fds = true };
	if (n)
		memcpy(copy, p, n);
	memset(out, 0xaa, d->size + 1);
	for (unsigned i = 0; i < n_fds; i++)
		f.fds[i] = dup(0);
	struct err *e = msg_decode(d, &f, out, &a);
	text[0] = 0;
	if (e) {
		snprintf(text, sizeof text, "%s", err_text(e));
		ck_assert_int_eq(err_errno(e), EPROTO);
		/* out untouched, descriptors still the frame's, no memory held */
		for (size_t i = 0; i < d->size; i++)
			ck_assert_uint_eq(out[i], 0xaa);
		ck_assert_uint_eq(f.nfds, n_fds);
		ck_assert_ptr_null(a.blocks);
	} else {
		ck_assert_uint_eq(f.nfds, 0);
		msg_free(d, out, &a);
	}
	err_free(e);
	for (unsigned i = 0; i < f.nfds; i++)
		close(f.fds[i]);
	free(copy);
	free(out);
	return text;
}

#define WRITER(w) \
	uint8_t w##_buf[70000]; \
	struct mp_writer w = { .p = w##_buf, .cap = sizeof w##_buf }

START_TEST(walk_names)
{
	char name[300];
	memset(name, 'n', sizeof name);
	/* the bound itself is good */
	for (unsigned len = 255; len <= 256; len++) {
		WRITER(w);
		mp_put_array(&w, 2);
		mp_put_u64(&w, 1);
		mp_put_array(&w, 4);
		for (int i = 0; i < 3; i++)
			mp_put_bin(&w, "etc", 3);
		mp_put_bin(&w, name, len);
		ck_assert_str_eq(refused(&gofer_walk_desc, w.p, w.len, 0), len == 255 ? "" : "walk.names[3]: 256 bytes, at most 255");
	}
}
END_TEST

START_TEST(wrong_field_counts)
{
	for (unsigned n = 0; n < 5; n++) {
		WRITER(w);
		mp_put_array(&w, n);
		if (n > 0)
			mp_put_u64(&w, 1);
		for (unsigned i = 1; i < n; i++)
			mp_put_array(&w, 0);
		const char *t = refused(&gofer_walk_desc, w.p, w.len, 0);
		if (n == 2)
			ck_assert_str_eq(t, "");
		else
			ck_assert_ptr_nonnull(strstr(t, "fields, must be 2"));
	}
}
END_TEST

START_TEST(wrong_types)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *want;
	} cases[] = {
		{ "", 0, "walk: not an array in its shortest form" },
		{ "\xc0", 1, "walk: not an array in its shortest form" },
		{ "\x92\xc0\x90", 3, "walk.dir: not a number, 0 or more, in its shortest form" },
		{ "\x92\xff\x90", 3, "walk.dir: not a number, 0 or more, in its shortest form" },
		{ "\x92\x01\xc0", 3, "walk.names: not an array in its shortest form" },
		{ "\x92\x01\x80", 3, "walk.names: not an array in its shortest form" },
		{ "\x92\x01\x91\x01\x01", 5, "walk.names[0]: not a byte string in its shortest form" },
		/* a str where a bin must be */
		{ "\x92\x01\x91\xa1x", 5, "walk.names[0]: not a byte string in its shortest form" },
		{ "\x92\x01\x91\xc4\x01\0", 6, "walk.names[0]: NUL in a string" },
		{ "\x92\x01\x91\xc4\x05x", 6, "walk.names[0]: not a byte string in its shortest form" },
		{ "\x92\x01\x90\x00", 4, "walk: 1 bytes after the message" },
		/* more elements than bytes could hold */
		{ "\x92\x01\x9f\xc4", 4, "walk.names: 15 elements in 1 bytes" },
		{ "\x92\x01\xdc\x00\x41\x01", 6, "walk.names: 65 elements, at most 64" },
		{ "\x92\x01\xdd\xff\xff\xff\xff", 7, "walk.names: 4294967295 elements, at most 64" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_str_eq(refused(&gofer_walk_desc, (const uint8_t *)cases[i].bytes, cases[i].n, 0), cases[i].want);
}
END_TEST

START_TEST(bounds)
{
	WRITER(w);
	mp_put_array(&w, 1);
	mp_put_u64(&w, 1024);
	ck_assert_str_eq(refused(&gofer_attach_desc, w.p, w.len, 0), "attach.tree: 1024, at most 1023");
	w.len = 0;
	mp_put_array(&w, 2);
	mp_put_u64(&w, 7);
	mp_put_u64(&w, 2);
	ck_assert_str_eq(refused(&gofer_fsync_desc, w.p, w.len, 0), "fsync.data_only: not true or false in its shortest form");
}
END_TEST

static void put_attr(struct mp_writer *w)
{
	mp_put_array(w, 14);
	for (int i = 0; i < 14; i++)
		mp_put_u64(w, 1);
}

START_TEST(descriptors)
{
	WRITER(w);
	mp_put_array(&w, 2);
	mp_put_u64(&w, 0);
	put_attr(&w);
	ck_assert_str_eq(refused(&gofer_open_reply_desc, w.p, w.len, 1), "");
	ck_assert_str_eq(refused(&gofer_open_reply_desc, w.p, w.len, 0), "open_reply.fd: descriptor missing: the frame brought 0");
	ck_assert_str_eq(refused(&gofer_open_reply_desc, w.p, w.len, 2), "open_reply: 2 descriptors, must be 1");
	w.p[1] = 1;
	ck_assert_str_eq(refused(&gofer_open_reply_desc, w.p, w.len, 2), "open_reply.fd: descriptor index 1 where 0 is next");
	/* the same descriptor twice */
	w.len = 0;
	mp_put_array(&w, 3);
	mp_put_u64(&w, 0);
	mp_put_u64(&w, 0);
	mp_put_array(&w, 0);
	ck_assert_str_eq(refused(&boot_setup_desc, w.p, w.len, 2), "setup.gofer: descriptor index 0 where 1 is next");
}
END_TEST

/* Every message cut at every byte, and with every byte changed, is refused or
 * is another good message; never a crash. */
START_TEST(mutations)
{
	struct gen_walk gw = { 0 };
	const struct msg_desc *d;
	while ((d = gen_walk(&gw))) {
		struct msg_arena a = { NULL };
		struct gen g = { .state = 42, .list_max = 3, .arena = &a };
		uint8_t *in = calloc(1, d->size + 1);
		struct frame f = { 0 };
		msg_arena_alloc(&a, 1);
		gen_struct(&g, d, in);
		struct err *e = msg_encode(d, in, &f);
		ck_assert_msg(!e, "%s", e ? err_text(e) : "");
		for (size_t n = 0; n < f.body_len; n++)
			ck_assert_str_ne(refused(d, f.body, n, f.nfds), "");
		for (size_t n = 0; n < f.body_len; n++) {
			for (int k = 0; k < 3; k++) {
				uint8_t old = f.body[n];
				f.body[n] = (uint8_t)gen_next(&g);
				refused(d, f.body, f.body_len, f.nfds);
				f.body[n] = old;
			}
		}
		frame_free(&f);
		msg_free(d, in, &a);
		free(in);
	}
}
END_TEST

/* A small input that announces much gets no memory for it. */
START_TEST(no_memory_for_promises)
{
	WRITER(w);
	mp_put_array(&w, 2);
	mp_put_array(&w, 2048); /* readdir entries: 2048 * 40 bytes */
	for (int i = 0; i < 100; i++)
		mp_put_u64(&w, 1);
	struct mallinfo2 before = mallinfo2();
	const char *t = refused(&gofer_readdir_reply_desc, w.p, w.len, 0);
	ck_assert_str_eq(t, "readdir_reply.entries: 2048 elements in 100 bytes");
	ck_assert_uint_le(mallinfo2().uordblks, before.uordblks + 4096);
}
END_TEST

START_TEST(encoder_refuses)
{
	struct frame f = { 0 };
	struct gofer_attach at = { .tree = 5000 };
	struct err *e = msg_encode(&gofer_attach_desc, &at, &f);
	ck_assert_str_eq(err_text(e), "attach.tree: 5000, at most 1023");
	err_free(e);
	struct gofer_open_reply r = { .fd = -1 };
	e = msg_encode(&gofer_open_reply_desc, &r, &f);
	ck_assert_str_eq(err_text(e), "open_reply.fd: descriptor is missing");
	err_free(e);
	/* longer than a frame */
	struct gofer_dirent *list = calloc(2048, sizeof *list);
	for (int i = 0; i < 2048; i++)
		list[i].name = (struct msg_str){ "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", 52 };
	struct gofer_readdir_reply dr = { .entries = list, .n_entries = 2048 };
	e = msg_encode(&gofer_readdir_reply_desc, &dr, &f);
	ck_assert_int_eq(err_errno(e), EMSGSIZE);
	err_free(e);
	free(list);
	struct gofer_unlink u = { .name = { "a\0b", 3 } };
	e = msg_encode(&gofer_unlink_desc, &u, &f);
	ck_assert_str_eq(err_text(e), "unlink.name: NUL in a string");
	err_free(e);
	ck_assert_ptr_null(f.buf);
}
END_TEST

START_TEST(json_refuses)
{
	static const char *const cases[][2] = {
		{ "{\"dir\":1}", "walk.names: missing" },
		{ "{\"dir\":1,\"names\":[],\"x\":1}", "walk: there is no field 'x'" },
		{ "{\"dir\":-1,\"names\":[]}", "walk.dir: not a number, 0 or more" },
		{ "{\"dir\":\"18446744073709551616\",\"names\":[]}", "walk.dir: '18446744073709551616' is not a number, 0 or more" },
		{ "{\"dir\":1,\"names\":[\"a\",7]}", "walk.names[1]: neither a string nor {\"hex\": \"...\"}" },
		{ "{\"dir\":1,\"names\":[{\"hex\":\"6\"}]}", "walk.names[0]: an odd number of hex digits" },
		{ "{\"dir\":1,\"names\":[{\"hex\":\"6g\"}]}", "walk.names[0]: not hex digits" },
		{ "{\"dir\":1,\"names\":\"a\"}", "walk.names: not an array" },
		{ "[]", "walk: not an object" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct gofer_walk m;
		struct msg_arena a = { NULL };
		json_t *j = json_loads(cases[i][0], 0, NULL);
		struct err *e = msg_from_json(&gofer_walk_desc, j, &m, &a);
		ck_assert_ptr_nonnull(e);
		ck_assert_str_eq(err_text(e), cases[i][1]);
		ck_assert_ptr_null(a.blocks);
		err_free(e);
		json_decref(j);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { walk_names, wrong_field_counts, wrong_types, bounds, descriptors, mutations, no_memory_for_promises, encoder_refuses, json_refuses, NULL };
	return check_main("strict", tests);
}
