/*
 * boot.h - bring-up of the sentry: kernel objects, then what to run.
 */
#ifndef SENTRY_BOOT_BOOT_H
#define SENTRY_BOOT_BOOT_H

#include "boot/options.h"
#include "kernel/kernel.h"

/* Makes the memory file, platform and event loop: before the process is sealed. */
struct err *kernel_prepare(struct kernel *k, const struct options *o) ERR_MUST_USE;
/* Makes everything else: file systems, tasks. May start threads. */
struct err *kernel_assemble(struct kernel *k) ERR_MUST_USE;

/* Serves protocol boot on fd: the container arrives with boot.setup. */
struct err *boot_serve(struct kernel *k, int fd) ERR_MUST_USE;
/* Makes and starts a container from the command line; when its program ends
 * the loop ends. */
struct err *boot_command_line(struct kernel *k, struct options *o) ERR_MUST_USE;

/* panic.c; fd -1: no last words. */
void boot_panic_init(int fd);

#endif
