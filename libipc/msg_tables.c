/*
 * msg_tables.c - every protocol's tables, made from the *.msg.h files, and the
 * look-ups in them.  Constant data, pure functions.
 */
#include "libipc/protocols.h"
#include "libipc/msg_desc.h"

#include <stddef.h>
#include <string.h>

#define MSG_FILE "boot.msg.h"
#define MSG_PROTO boot
#include "msg_tables.h"
#undef MSG_FILE
#undef MSG_PROTO
#define MSG_FILE "control.msg.h"
#define MSG_PROTO control
#include "msg_tables.h"
#undef MSG_FILE
#undef MSG_PROTO
#define MSG_FILE "gofer.msg.h"
#define MSG_PROTO gofer
#include "msg_tables.h"
#undef MSG_FILE
#undef MSG_PROTO
#define MSG_FILE "trace.msg.h"
#define MSG_PROTO trace
#include "msg_tables.h"
#undef MSG_FILE
#undef MSG_PROTO

const struct msg_proto *const msg_protocols[] = { &boot_proto, &control_proto, &gofer_proto, &trace_proto, NULL };

const struct msg_proto *msg_proto_by_name(const char *name)
{
	for (size_t i = 0; msg_protocols[i]; i++)
		if (strcmp(msg_protocols[i]->name, name) == 0)
			return msg_protocols[i];
	return NULL;
}

bool msg_proto_method(const struct msg_proto *p, uint32_t id, const struct msg_desc **request, const struct msg_desc **reply)
{
	for (uint32_t i = 0; i < p->n_methods; i++) {
		if (p->methods[i].id != id)
			continue;
		*request = p->methods[i].request;
		*reply = p->methods[i].reply;
		return true;
	}
	return false;
}

const struct msg_method *msg_proto_method_by_name(const struct msg_proto *p, const char *name)
{
	for (uint32_t i = 0; i < p->n_methods; i++)
		if (strcmp(p->methods[i].name, name) == 0)
			return &p->methods[i];
	return NULL;
}

const char *msg_desc_name(const struct msg_desc *d)
{
	return d->name;
}

const char *msg_desc_short(const struct msg_desc *d)
{
	const char *sep = strchr(d->name, '_');
	return sep ? sep + 1 : d->name;
}

size_t msg_desc_size(const struct msg_desc *d)
{
	return d->size;
}

bool msg_desc_has_fds(const struct msg_desc *d)
{
	for (uint32_t i = 0; i < d->n_fields; i++) {
		const struct msg_field *f = &d->fields[i];
		if (f->kind == MSG_FD || f->kind == MSG_OPT_FD || f->kind == MSG_FDS)
			return true;
		if (f->sub && msg_desc_has_fds(f->sub))
			return true;
	}
	return false;
}
