/*
 * boot.h - bring-up of the sentry: kernel objects, then what to run.
 */
#ifndef SENTRY_BOOT_BOOT_H
#define SENTRY_BOOT_BOOT_H

#include "boot/options.h"
#include "kernel/kernel.h"

struct rpc_call;

/* Makes the memory file, platform and event loop: before the process is sealed.
 * memory: see memfile_new, whose it is from now on. */
struct err *kernel_prepare(struct kernel *k, const struct options *o, int memory) ERR_MUST_USE;
/* Makes everything else: file systems, tasks. May start threads. */
struct err *kernel_assemble(struct kernel *k) ERR_MUST_USE;

/* Serves protocol boot on fd: the container arrives with boot.setup. */
struct err *boot_serve(struct kernel *k, int fd) ERR_MUST_USE;
/* Makes and starts a container from the command line; when its program ends
 * the loop ends. */
struct err *boot_command_line(struct kernel *k, struct options *o) ERR_MUST_USE;

/* network.c: boot.network */
void boot_do_network(struct rpc_call *call, void *request);

/* panic.c; fd -1: no last words. */
void boot_panic_init(int fd);

#endif
