/*
 * libipc_frame.c - fuzzes whole datagrams as the gofer and controld get them:
 * envelope, then the body by its method.  Input: the datagram.
 */
#include "libipc/frame_io.h"
#include "libipc/protocols.h"
#include "libipc/rpc_wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const struct msg_desc *d, struct frame *f)
{
	struct msg_arena a = { NULL };
	void *out = calloc(1, msg_desc_size(d) + 1);
	struct err *e = msg_decode(d, f, out, &a);
	if (!e)
		msg_free(d, out, &a);
	err_free(e);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct msg_proto *const protocols[] = { &gofer_proto, &control_proto, &boot_proto };
	struct frame f = { .buf_len = size };
	if (size == 0 || size > FRAME_MAX)
		return 0;
	f.buf = malloc(size);
	memcpy(f.buf, data, size);
	if (!frame_parse(&f)) {
		for (size_t i = 0; i < 3; i++) {
			const struct msg_desc *request, *reply;
			if (!msg_proto_method(protocols[i], f.method, &request, &reply))
				continue;
			decode(request, &f);
			if (reply)
				decode(reply, &f);
		}
		bool protocol;
		err_free(rpc_error_decode(&f, &protocol));
	}
	frame_free(&f);
	return 0;
}
