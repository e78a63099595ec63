/*
 * stub_exec.h - starts a stub's embedded executable as a child process, for the
 * platforms (at boot, before there are other threads); the time stubs used.
 */
#ifndef SENTRY_PLATFORM_STUB_EXEC_H
#define SENTRY_PLATFORM_STUB_EXEC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The image in a memory file, to be executed by descriptor; -1 and errno. */
int stub_exec_file(const uint8_t *image, size_t len);

#define STUB_EXEC_MAX_FDS 8
/* A child in a session of its own that executes it with descriptors 0..n-1 as
 * given and no others, no signal masked, a small and predictable layout. -1 and errno. */
pid_t stub_exec(int exec_fd, const int *fds, unsigned n);

#endif
