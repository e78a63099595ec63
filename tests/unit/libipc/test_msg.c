/*
 * test_msg.c - every message of every protocol there and back, by generated
 * values: through frames, plain buffers, memory files and JSON; and msgpack-c
 * must agree with our reader and writer.
 */
#include "check_main.h"
#include "gen.h"

#include "libipc/fd.h"
#include "libipc/frame_io.h"
#include "libipc/msg_desc.h"
#include "libipc/msgpack.h"

#include <errno.h>
#include <msgpack.h>

#define ROUNDS 60

/* Encodes `in` again and compares the bytes: two messages are the same when
 * their one encoding is (descriptors are compared by their number). */
static void same_encoding(const struct msg_desc *d, const void *in, const struct frame *f)
{
	struct frame g = { 0 };
	no_error(msg_encode(d, in, &g));
	ck_assert_uint_eq(g.body_len, f->body_len);
	ck_assert_mem_eq(g.body, f->body, g.body_len);
	frame_free(&g);
}

static void round_trip(const struct msg_desc *d, uint64_t seed, uint32_t list_max)
{
	struct msg_arena a = { NULL }, b = { NULL };
	struct gen g = { .state = seed, .list_max = list_max, .arena = &a };
	void *in = calloc(1, d->size + 1), *out = calloc(1, d->size + 1);
	struct frame f = { .kind = FRAME_REQUEST }, copy = { .owns_fds = true };
	msg_arena_alloc(&a, 1); /* so that msg_free closes */
	gen_struct(&g, d, in);
	struct err *e = msg_encode(d, in, &f);
	if (e && (err_errno(e) == EMSGSIZE || err_errno(e) == E2BIG)) {
		err_free(e); /* generated more than a frame holds */
	} else {
		no_error(e);
		ck_assert_uint_eq(f.nfds, g.fds);
		/* as if received: descriptors of its own */
		copy.body = f.body;
		copy.body_len = f.body_len;
		for (copy.nfds = 0; copy.nfds < f.nfds; copy.nfds++)
			copy.fds[copy.nfds] = dup(f.fds[copy.nfds]);
		no_error(msg_decode(d, &copy, out, &b));
		ck_assert_uint_eq(copy.nfds, 0);
		same_encoding(d, out, &f);
		msg_free(d, out, &b);
		frame_free(&f);
	}
	msg_free(d, in, &a);
	free(in);
	free(out);
}

START_TEST(frames)
{
	struct gen_walk w = { 0 };
	const struct msg_desc *d;
	int before = open_fds(), n = 0;
	while ((d = gen_walk(&w))) {
		for (unsigned i = 0; i < ROUNDS; i++)
			round_trip(d, i * 977 + 1, i < 40 ? 8 : 300);
		n++;
	}
	ck_assert_int_gt(n, 60);
	ck_assert_int_eq(open_fds(), before);
}
END_TEST

START_TEST(json)
{
	struct gen_walk w = { 0 };
	const struct msg_desc *d;
	int before = open_fds();
	while ((d = gen_walk(&w))) {
		for (unsigned i = 0; i < ROUNDS; i++) {
			struct msg_arena a = { NULL }, b = { NULL };
			struct gen g = { .state = i + 5, .list_max = 6, .arena = &a };
			void *in = calloc(1, d->size + 1), *out = calloc(1, d->size + 1);
			struct frame f = { 0 };
			json_t *j;
			msg_arena_alloc(&a, 1);
			gen_struct(&g, d, in);
			no_error(msg_encode(d, in, &f));
			no_error(msg_to_json(d, in, &j));
			no_error(msg_from_json(d, j, out, &b));
			same_encoding(d, out, &f);
			json_decref(j);
			msg_arena_free(&b); /* its descriptors are the same numbers */
			msg_free(d, in, &a);
			frame_free(&f);
			free(in);
			free(out);
		}
	}
	ck_assert_int_eq(open_fds(), before);
}
END_TEST

START_TEST(memory_files)
{
	struct boot_process p = { .cwd = msg_str("/"), .user = msg_str(""), .umask = 022 };
	struct msg_str args[3] = { msg_str("ls"), msg_str("-l"), msg_str("") };
	struct boot_process q;
	struct msg_arena a = { NULL };
	int fd;
	p.args = args;
	p.n_args = 3;
	no_error(msg_to_memfd(&boot_process_desc, &p, &fd));
	/* sealed: nobody can change it any more */
	ck_assert_int_lt(pwrite(fd, "x", 1, 0), 0);
	ck_assert_int_lt(ftruncate(fd, 0), 0);
	no_error(msg_from_fd(&boot_process_desc, fd, 1 << 20, &q, &a));
	ck_assert_uint_eq(q.n_args, 3);
	ck_assert_str_eq(q.args[1].p, "-l");
	ck_assert_str_eq(q.args[2].p, "");
	ck_assert_uint_eq(q.umask, 022);
	msg_free(&boot_process_desc, &q, &a);
	/* the limit is on what is read */
	struct err *e = msg_from_fd(&boot_process_desc, fd, 8, &q, &a);
	ck_assert_int_eq(err_errno(e), EFBIG);
	err_free(e);
	ck_assert_ptr_null(a.blocks);
	close(fd);
	int pipes[2];
	ck_assert_int_eq(pipe(pipes), 0);
	e = msg_from_fd(&boot_process_desc, pipes[0], 1 << 20, &q, &a);
	ck_assert_int_eq(err_errno(e), EINVAL);
	err_free(e);
	close(pipes[0]);
	close(pipes[1]);
}
END_TEST

/* What we write, msgpack-c reads whole, and writes the same. */
START_TEST(agrees_with_msgpack)
{
	struct gen_walk w = { 0 };
	const struct msg_desc *d;
	while ((d = gen_walk(&w))) {
		for (unsigned i = 0; i < 20; i++) {
			struct msg_arena a = { NULL };
			struct gen g = { .state = i * 31 + 7, .list_max = 20, .arena = &a };
			void *in = calloc(1, d->size + 1);
			struct frame f = { 0 };
			msg_arena_alloc(&a, 1);
			gen_struct(&g, d, in);
			struct err *e = msg_encode(d, in, &f);
			if (!e) {
				msgpack_unpacked m;
				size_t off = 0;
				msgpack_unpacked_init(&m);
				ck_assert_int_eq(msgpack_unpack_next(&m, (char *)f.body, f.body_len, &off), MSGPACK_UNPACK_SUCCESS);
				ck_assert_uint_eq(off, f.body_len);
				msgpack_sbuffer sb;
				msgpack_packer pk;
				msgpack_sbuffer_init(&sb);
				msgpack_packer_init(&pk, &sb, msgpack_sbuffer_write);
				msgpack_pack_object(&pk, m.data);
				ck_assert_uint_eq(sb.size, f.body_len);
				ck_assert_mem_eq(sb.data, f.body, sb.size);
				msgpack_sbuffer_destroy(&sb);
				msgpack_unpacked_destroy(&m);
			}
			err_free(e);
			frame_free(&f);
			msg_free(d, in, &a);
			free(in);
		}
	}
}
END_TEST

START_TEST(numbers)
{
	static const int64_t values[] = { 0, 1, 127, 128, 255, 256, 65535, 65536, UINT32_MAX, (int64_t)UINT32_MAX + 1, INT64_MAX, -1, -32, -33,
		-128, -129, -32768, -32769, INT32_MIN, (int64_t)INT32_MIN - 1, INT64_MIN };
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		uint8_t buf[16];
		struct mp_writer w = { .p = buf, .cap = sizeof buf };
		mp_put_i64(&w, values[i]);
		struct mp_reader r = { buf, buf + w.len };
		int64_t v;
		ck_assert(mp_get_i64(&r, &v));
		ck_assert_int_eq(v, values[i]);
		ck_assert_ptr_eq(r.p, r.end);
		/* every truncation is refused */
		for (size_t n = 0; n < w.len; n++) {
			r = (struct mp_reader){ buf, buf + n };
			ck_assert(!mp_get_i64(&r, &v));
			ck_assert_ptr_eq(r.p, buf);
		}
	}
	/* not the shortest form */
	static const uint8_t longer[][9] = { { 0xcc, 0x7f }, { 0xcd, 0, 0xff }, { 0xce, 0, 0, 0xff, 0xff }, { 0xcf, 0, 0, 0, 0, 0xff },
		{ 0xd0, 0xff }, { 0xd0, 0x05 }, { 0xd1, 0xff, 0x80 }, { 0xd2, 0xff, 0xff, 0x80, 0 }, { 0xd3, 0xff, 0xff, 0xff, 0xff, 0x80 } };
	for (size_t i = 0; i < sizeof longer / sizeof longer[0]; i++) {
		struct mp_reader r = { longer[i], longer[i] + 9 };
		int64_t v;
		uint64_t u;
		ck_assert(!mp_get_i64(&r, &v));
		ck_assert(!mp_get_u64(&r, &u));
	}
}
END_TEST

START_TEST(schema)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	msg_print_schema(msg_proto_by_name("gofer"), f);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "### walk"));
	ck_assert_ptr_nonnull(strstr(text, "| `names` | list of strings, at most 64 of 255 bytes |"));
	free(text);
	ck_assert_ptr_null(msg_proto_by_name("nosuch"));
	const struct msg_desc *req, *rep;
	const struct msg_method *walk = msg_proto_method_by_name(&gofer_proto, "walk");
	ck_assert_ptr_nonnull(walk);
	ck_assert_uint_eq(walk->id, gofer_walk_id);
	ck_assert_ptr_null(msg_proto_method_by_name(&gofer_proto, "nosuch"));
	ck_assert(msg_proto_method(&gofer_proto, walk->id, &req, &rep));
	ck_assert_ptr_eq(req, &gofer_walk_desc);
	ck_assert_ptr_eq(rep, &gofer_walk_reply_desc);
	ck_assert(msg_proto_method(&gofer_proto, gofer_release_id, &req, &rep));
	ck_assert_ptr_null(rep);
	ck_assert(!msg_proto_method(&gofer_proto, 9999, &req, &rep));
}
END_TEST

/* Ids are unique, names too; every bound that a frame must hold is plausible. */
START_TEST(tables)
{
	for (size_t p = 0; msg_protocols[p]; p++) {
		const struct msg_proto *proto = msg_protocols[p];
		for (uint32_t i = 0; i < proto->n_methods; i++) {
			for (uint32_t k = 0; k < i; k++) {
				ck_assert_uint_ne(proto->methods[i].id, proto->methods[k].id);
				ck_assert_str_ne(proto->methods[i].name, proto->methods[k].name);
			}
		}
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { frames, json, memory_files, agrees_with_msgpack, numbers, schema, tables, NULL };
	return check_main("msg", tests);
}
