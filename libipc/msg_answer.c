/*
 * msg_answer.c - answers too large for a frame, in memory files that the asker
 * made.  Neither side believes the other: the size cannot be changed any more,
 * so that whoever answers can use no more memory than the asker allows, and the
 * asker reads a private copy.
 */
#include "libipc/fd.h"
#include "libipc/hostcall.h"
#include "libipc/msg_desc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct err *msg_answer_file(size_t size, int *fd)
{
	_cleanup_close_ int m = memfd_create("answer", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (m < 0 || ftruncate(m, (off_t)size) < 0 || fcntl(m, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		return err_new(errno, "memory file for an answer");
	*fd = TAKE_FD(m);
	return NULL;
}

struct err *msg_answer_write(const struct msg_desc *d, const void *in, int fd, uint64_t *length)
{
	_cleanup_free_ uint8_t *buf = NULL;
	struct stat st;
	size_t len;
	struct err *e = msg_encode_buf(d, in, &buf, &len);

	if (e)
		return e;
	/* not a regular file: a pipe, say, whose reader could keep us waiting */
	if (host_fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_new(EINVAL, "%s: not a memory file", msg_desc_name(d));
	if ((uint64_t)st.st_size < len)
		return err_new(EFBIG, "%s: %zu bytes, and room for %lld", msg_desc_name(d), len, (long long)st.st_size);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, buf + done, len - done);

		if (n <= 0 && !(n < 0 && errno == EINTR))
			return err_new(n < 0 ? errno : EIO, "%s: writing to a memory file", msg_desc_name(d));
		done += n > 0 ? (size_t)n : 0;
	}
	*length = len;
	return NULL;
}

struct err *msg_answer_read(const struct msg_desc *d, int fd, uint64_t length, void *out, struct msg_arena *a)
{
	_cleanup_free_ uint8_t *buf = malloc(length ? length : 1);

	if (!buf)
		return err_new(ENOMEM, "%s: %llu bytes", msg_desc_name(d), (unsigned long long)length);
	for (uint64_t done = 0; done < length;) {
		ssize_t n = pread(fd, buf + done, length - done, (off_t)done);

		if (n <= 0 && !(n < 0 && errno == EINTR))
			return err_new(n < 0 ? errno : EPROTO, "%s: reading a memory file", msg_desc_name(d));
		done += n > 0 ? (uint64_t)n : 0;
	}
	return msg_decode_buf(d, buf, length, out, a);
}
