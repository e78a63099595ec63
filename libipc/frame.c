/*
 * frame.c - the envelope of frame.h, put on and taken off a SEQPACKET socket.
 *
 * The envelope is packed by hand: its five elements have fixed places and are
 * small.  No state, no locks; any thread.  What is received is hostile: the
 * datagram lies in private memory, its envelope is checked byte by byte, and
 * whatever the outcome no descriptor is leaked.
 */
#include "libipc/frame.h"
#include "libipc/frame_io.h"
#include "libipc/msgpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

size_t frame_envelope(uint8_t p[FRAME_ENVELOPE_MAX], const struct frame *f)
{
	struct mp_writer w = { .p = p, .cap = FRAME_ENVELOPE_MAX };
	mp_put_array(&w, 5);
	mp_put_u64(&w, FRAME_VERSION);
	mp_put_u64(&w, (uint64_t)f->kind);
	mp_put_u64(&w, f->sequence);
	mp_put_u64(&w, f->method);
	return w.len;
}

int frame_send_flags(int sock, const struct frame *f, int flags)
{
	static const uint8_t nil = 0xc0;
	uint8_t envelope[FRAME_ENVELOPE_MAX];
	size_t n = frame_envelope(envelope, f);
	bool empty = f->body_len == 0; /* a frame without a message has the body nil */
	if (n + f->body_len > FRAME_MAX)
		return EMSGSIZE;
	if (f->nfds > FRAME_FDS_MAX)
		return E2BIG;
	struct iovec iov[2] = {
		{ .iov_base = envelope, .iov_len = n },
		{ .iov_base = empty ? (void *)(uintptr_t)&nil : f->body, .iov_len = empty ? 1 : f->body_len },
	};
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * FRAME_FDS_MAX)];
	} control __attribute__((uninitialized));
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 2 };
	if (f->nfds) {
		size_t bytes = sizeof(int) * f->nfds;
		memset(control.buf, 0, CMSG_SPACE(bytes));
		mh.msg_control = control.buf;
		mh.msg_controllen = CMSG_SPACE(bytes);
		struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(c), f->fds, bytes);
	}
	for (;;) {
		if (sendmsg(sock, &mh, flags | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return errno;
	}
}

struct err *frame_send(int sock, const struct frame *f, bool *again)
{
	if (again)
		*again = false;
	int errnum = frame_send_flags(sock, f, 0);
	if (!errnum)
		return NULL;
	if (errnum == EAGAIN && again) {
		*again = true;
		return NULL;
	}
	return err_new(errnum, "sending a frame of %zu bytes, %u descriptors", f->body_len, f->nfds);
}

/* The descriptors of a received datagram go into f->fds.  Returns false if
 * there was ancillary data of another kind (then too all are taken). */
static bool take_fds(struct msghdr *mh, struct frame *f)
{
	bool ok = true;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			ok = false;
			continue;
		}
		/* the kernel gives at most one such block, of at most what we made room for */
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (f->nfds < FRAME_FDS_MAX) {
				f->fds[f->nfds++] = fd;
			} else {
				close(fd);
				ok = false;
			}
		}
	}
	return ok;
}

const char *frame_parse(struct frame *f)
{
	struct mp_reader r = { .p = f->buf, .end = f->buf + f->buf_len };
	uint32_t n;
	uint64_t version, kind, sequence, method;
	if (!mp_get_array(&r, &n) || n != 5)
		return "not an array of 5";
	if (!mp_get_u64(&r, &version) || version != FRAME_VERSION)
		return "unknown version";
	if (!mp_get_u64(&r, &kind) || kind > FRAME_CANCEL)
		return "unknown kind";
	if (!mp_get_u64(&r, &sequence))
		return "sequence is not a number";
	if (!mp_get_u64(&r, &method) || method > UINT32_MAX)
		return "method is not a 32-bit number";
	if (kind == FRAME_EVENT && sequence != 0)
		return "an event with a sequence number";
	if (r.p == r.end)
		return "body is missing";
	f->kind = (enum frame_kind)kind;
	f->sequence = sequence;
	f->method = (uint32_t)method;
	f->body = f->buf + (r.p - f->buf);
	f->body_len = (size_t)(r.end - r.p);
	if (f->kind == FRAME_CANCEL && (f->body_len != 1 || f->body[0] != 0xc0))
		return "a cancel with a body";
	if ((f->kind == FRAME_CANCEL || f->kind == FRAME_ERROR) && (f->nfds || f->fds_lost))
		return "descriptors where none may be";
	return NULL;
}

/* Takes the descriptors out of what was received and checks the frame; NULL or
 * what is wrong with it. */
static const char *take_frame(struct msghdr *mh, struct frame *f)
{
	bool fds_ok = take_fds(mh, f);
	bool cut = mh->msg_flags & MSG_CTRUNC;
	/* The kernel stops at the first descriptor it cannot install; with room
	 * left in our buffer that is our own limit, not too many sent. */
	if (cut && fds_ok && f->nfds < FRAME_FDS_MAX) {
		while (f->nfds)
			close(f->fds[--f->nfds]);
		f->fds_lost = true;
		cut = false;
	}
	if (mh->msg_flags & MSG_TRUNC)
		return "longer than a frame may be";
	if (cut || !fds_ok)
		return "more descriptors than a frame may have";
	return frame_parse(f);
}

/* Most frames are short: gives back the rest (shrinks in place). */
static void fit_buffer(struct frame *f)
{
	size_t at = (size_t)(f->body - f->buf);
	uint8_t *fit = realloc(f->buf, f->buf_len);
	if (!fit)
		return;
	f->buf = fit;
	f->body = fit + at;
}

int frame_recv_flags(int sock, struct frame *f, int flags, bool *eof, const char **why)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * FRAME_FDS_MAX)];
	} control __attribute__((uninitialized));
	*eof = false;
	*why = NULL;
	*f = (struct frame){ .buf = malloc(FRAME_MAX), .owns_fds = true };
	if (!f->buf)
		return ENOMEM;
	struct iovec iov = { .iov_base = f->buf, .iov_len = FRAME_MAX };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	ssize_t n;
	do {
		n = recvmsg(sock, &mh, flags | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	int errnum = n < 0 ? errno : 0;
	if (n > 0) {
		f->buf_len = (size_t)n;
		*why = take_frame(&mh, f);
		if (!*why) {
			fit_buffer(f);
			return 0;
		}
		errnum = EPROTO;
	} else if (n == 0 || errnum == ECONNRESET) {
		/* the peer went (perhaps with frames of ours unread), or sent an empty
		 * datagram, which ends the conversation just as well */
		if (n == 0)
			take_fds(&mh, f);
		*eof = true;
		errnum = 0;
	}
	frame_free(f);
	return errnum;
}

struct err *frame_recv(int sock, struct frame *f, bool *again, bool *eof)
{
	const char *why;
	if (again)
		*again = false;
	int errnum = frame_recv_flags(sock, f, 0, eof, &why);
	if (!errnum)
		return NULL;
	if (errnum == EAGAIN && again) {
		*again = true;
		return NULL;
	}
	if (why)
		return err_with_text(EPROTO, "received a broken frame: %s", why);
	return err_new(errnum, "receiving a frame");
}

void frame_free(struct frame *f)
{
	if (f->owns_fds)
		for (unsigned i = 0; i < f->nfds; i++)
			if (f->fds[i] >= 0)
				close(f->fds[i]);
	f->nfds = 0;
	free(f->buf);
	f->buf = f->body = NULL;
	f->buf_len = f->body_len = 0;
}
