/*
 * klog.h - the guest kernel's own log: what dmesg shows.
 */
#ifndef SENTRY_KERNEL_KLOG_H
#define SENTRY_KERNEL_KLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kernel;
struct klog;

#define KLOG_ERR 3
#define KLOG_INFO 6
#define KLOG_SIZE (1u << 16) /* bytes kept: the newest lines */

struct klog *klog_new(void); /* NULL: no memory */
/* One line, without its end; any thread, no locks but what lies above RANK_LEAF. */
void klog(struct kernel *k, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The last lines that fit, "<3>[    1.234567] text\n" each; clear: from now on they
 * are no more shown to who asks.  Returns bytes. */
size_t klog_read(struct kernel *k, char *buf, size_t size, bool clear);
/* Bytes of lines that klog_read would give. */
size_t klog_unread(struct kernel *k);
void klog_clear(struct kernel *k);

#endif
