/*
 * msg_schema.c - a protocol's page of documentation, as markdown, from the
 * same tables that encode and decode it.
 */
#include "libipc/msg_desc.h"

#include <inttypes.h>

/* A field's type and bound, as the page says it. */
static void print_type(const struct msg_field *f, FILE *out)
{
	switch (f->kind) {
	case MSG_U64:
		if (f->max == UINT64_MAX)
			fprintf(out, "u64");
		else
			fprintf(out, "u64, at most %" PRIu64, f->max);
		return;
	case MSG_I64:
		if (f->imin == INT64_MIN && f->imax == INT64_MAX)
			fprintf(out, "i64");
		else
			fprintf(out, "i64, %" PRId64 " to %" PRId64, f->imin, f->imax);
		return;
	case MSG_BOOL:
		fprintf(out, "bool");
		return;
	case MSG_STR:
		fprintf(out, "string without NUL, at most %u bytes", f->maxlen);
		return;
	case MSG_BYTES:
		fprintf(out, "bytes, at most %u", f->maxlen);
		return;
	case MSG_FD:
		fprintf(out, "descriptor");
		return;
	case MSG_OPT_FD:
		fprintf(out, "descriptor or nil");
		return;
	case MSG_STRUCT:
		fprintf(out, "[%s](#%s)", msg_desc_short(f->sub), msg_desc_short(f->sub));
		return;
	case MSG_LIST:
		fprintf(out, "list of [%s](#%s), at most %" PRIu64, msg_desc_short(f->sub), msg_desc_short(f->sub), f->max);
		return;
	case MSG_STRS:
		fprintf(out, "list of strings, at most %" PRIu64 " of %u bytes", f->max, f->maxlen);
		return;
	case MSG_U64S:
		fprintf(out, "list of u64, at most %" PRIu64, f->max);
		return;
	case MSG_FDS:
		fprintf(out, "list of descriptors, at most %" PRIu64, f->max);
		return;
	}
}

static void print_fields(const struct msg_desc *d, FILE *out)
{
	if (!d->n_fields) {
		fprintf(out, "No fields.\n\n");
		return;
	}
	fprintf(out, "| field | type | |\n|---|---|---|\n");
	for (const struct msg_field *f = d->fields; f->name; f++) {
		fprintf(out, "| `%s` | ", f->name);
		print_type(f, out);
		fprintf(out, " | %s |\n", f->doc);
	}
	fprintf(out, "\n");
}

void msg_print_schema(const struct msg_proto *p, FILE *f)
{
	fprintf(f, "# The %s protocol, version %u\n\n%s\n\n", p->name, p->version, p->doc);
	fprintf(f, "A frame is one SEQPACKET datagram: a msgpack array [%d, kind, sequence, method, body], at most %d bytes and\n"
		   "%d descriptors. Kinds: 0 request, 1 reply, 2 error ([errno, text]), 3 event, 4 cancel. A message or struct is an\n"
		   "array with one element per field, in the order given here; strings and bytes are msgpack bin; numbers and\n"
		   "lengths have their shortest form; a descriptor is the next index into the frame's descriptors.\n\n",
		FRAME_VERSION, FRAME_MAX, FRAME_FDS_MAX);
	fprintf(f, "## Methods\n\n");
	for (uint32_t i = 0; i < p->n_methods; i++) {
		const struct msg_method *m = &p->methods[i];
		fprintf(f, "### %s\n\n%s %u. %s\n\n", m->name, m->reply ? "Request" : "Event", m->id, m->doc);
		print_fields(m->request, f);
		if (m->reply) {
			fprintf(f, "Reply:\n\n");
			print_fields(m->reply, f);
		}
	}
	fprintf(f, "## Structs\n\n");
	for (uint32_t i = 0; i < p->n_parts; i++) {
		fprintf(f, "### %s\n\n%s.\n\n", msg_desc_short(p->parts[i].desc), p->parts[i].doc);
		print_fields(p->parts[i].desc, f);
	}
}
