/*
 * klog.c - see klog.h.  Lines lie in a buffer from its begin; the oldest go when
 * it is full.
 */
#include "kernel/klog.h"

#include "kernel/kernel.h"
#include "lib/wait.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX 512

struct klog {
	struct mutex mu; /* RANK_LEAF; the rest is under it */
	size_t len, cleared; /* cleared: bytes from the begin that readers passed over for good */
	char text[KLOG_SIZE];
};

struct klog *klog_new(void)
{
	struct klog *l = calloc(1, sizeof(*l));

	if (l)
		mutex_init(&l->mu, RANK_LEAF);
	return l;
}

/* Whole lines, n bytes at least. */
static void drop_locked(struct klog *l, size_t n)
{
	const char *end = memchr(l->text + n - 1, '\n', l->len - n + 1);

	n = end ? (size_t)(end - l->text) + 1 : l->len;
	memmove(l->text, l->text + n, l->len - n);
	l->len -= n;
	l->cleared = l->cleared > n ? l->cleared - n : 0;
}

void klog(struct kernel *k, int level, const char *fmt, ...)
{
	int64_t us = (now_monotonic() - k->boot_monotonic) / 1000;
	struct klog *l = k->klog;
	char line[LINE_MAX];
	int n = snprintf(line, sizeof(line), "<%d>[%5" PRId64 ".%06" PRId64 "] ", level, us / 1000000, us % 1000000);
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	len = strlen(line);
	line[len++] = '\n';
	mutex_lock(&l->mu);
	if (l->len + len > sizeof(l->text))
		drop_locked(l, l->len + len - sizeof(l->text));
	memcpy(l->text + l->len, line, len);
	l->len += len;
	mutex_unlock(&l->mu);
}

size_t klog_read(struct kernel *k, char *buf, size_t size, bool clear)
{
	struct klog *l = k->klog;
	size_t from, n;

	mutex_lock(&l->mu);
	from = l->cleared;
	if (l->len - from > size) { /* the newest whole lines */
		const char *end = memchr(l->text + (l->len - size) - 1, '\n', size + 1);

		from = end ? (size_t)(end - l->text) + 1 : l->len;
	}
	n = l->len - from;
	memcpy(buf, l->text + from, n);
	if (clear)
		l->cleared = l->len;
	mutex_unlock(&l->mu);
	return n;
}

size_t klog_unread(struct kernel *k)
{
	size_t n;

	mutex_lock(&k->klog->mu);
	n = k->klog->len - k->klog->cleared;
	mutex_unlock(&k->klog->mu);
	return n;
}

void klog_clear(struct kernel *k)
{
	mutex_lock(&k->klog->mu);
	k->klog->cleared = k->klog->len;
	mutex_unlock(&k->klog->mu);
}
