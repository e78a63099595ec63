/*
 * msg_memfd.c - messages too large for a frame, in sealed memory files.
 *
 * The reader copies the file to private memory before it looks at any byte of
 * it: a writer that keeps the file open cannot change what was checked.
 */
#include "libipc/hostcall.h"
#include "libipc/fd.h"
#include "libipc/msg_desc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct err *msg_to_memfd(const struct msg_desc *d, const void *in, int *fd)
{
	_cleanup_free_ uint8_t *buf = NULL;
	size_t len;
	struct err *e = msg_encode_buf(d, in, &buf, &len);
	if (e)
		return e;
	_cleanup_close_ int m = memfd_create(msg_desc_name(d), MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (m < 0)
		return err_new(errno, "memory file for %s", msg_desc_name(d));
	for (size_t done = 0; done < len;) {
		ssize_t n = write(m, buf + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_new(n < 0 ? errno : EIO, "writing %s to a memory file", msg_desc_name(d));
		done += (size_t)n;
	}
	if (fcntl(m, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_new(errno, "sealing %s", msg_desc_name(d));
	*fd = TAKE_FD(m);
	return NULL;
}

/* Reads the whole file from offset 0, at most max bytes. */
static struct err *read_all(int fd, size_t max, uint8_t **buf, size_t *len)
{
	struct stat st;
	if (host_fstat(fd, &st) < 0)
		return err_new(errno, "fstat");
	if (!S_ISREG(st.st_mode))
		return err_new(EINVAL, "not a regular or memory file");
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return err_new(EFBIG, "%lld bytes, at most %zu", (long long)st.st_size, max);
	size_t size = (size_t)st.st_size, done = 0;
	_cleanup_free_ uint8_t *p = malloc(size ? size : 1);
	if (!p)
		return err_new(ENOMEM, "%zu bytes", size);
	while (done < size) {
		ssize_t n = pread(fd, p + done, size - done, (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_new(errno, "read");
		if (n == 0)
			return err_new(EPROTO, "shrank while it was read");
		done += (size_t)n;
	}
	*buf = TAKE_PTR(p);
	*len = size;
	return NULL;
}

struct err *msg_from_fd(const struct msg_desc *d, int fd, size_t max, void *out, struct msg_arena *a)
{
	_cleanup_free_ uint8_t *buf = NULL;
	size_t len = 0;
	struct err *e = read_all(fd, max, &buf, &len);
	if (!e)
		e = msg_decode_buf(d, buf, len, out, a);
	return e ? err_wrap(e, "reading %s from descriptor %d", msg_desc_name(d), fd) : NULL;
}
