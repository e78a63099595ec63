/*
 * text.c - the files of /proc that are text: made at the first read from an open
 * file, and again when it is read from its beginning; written whole.
 */
#include "fs/proc/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_MAX 4096

/* --- text --------------------------------------------------------------------- */
static bool reserve(struct pbuf *b, size_t n)
{
	size_t want = b->len + n + 1, cap = b->cap ? b->cap : 1024;
	char *grown;

	if (b->failed)
		return false;
	if (want <= b->cap)
		return true;
	while (cap < want)
		cap *= 2;
	grown = realloc(b->p, cap);
	if (!grown) {
		b->failed = true;
		return false;
	}
	b->p = grown;
	b->cap = cap;
	return true;
}

void pappend(struct pbuf *b, const void *data, size_t n)
{
	if (!reserve(b, n))
		return;
	memcpy(b->p + b->len, data, n);
	b->len += n;
	b->p[b->len] = 0;
}

void pprintf(struct pbuf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!reserve(b, 256))
		return;
	va_start(ap, fmt);
	n = vsnprintf(b->p + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if ((size_t)n >= b->cap - b->len) {
		if (!reserve(b, (size_t)n))
			return;
		va_start(ap, fmt);
		vsnprintf(b->p + b->len, b->cap - b->len, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

void pspaces(struct pbuf *b, size_t n)
{
	if (!reserve(b, n))
		return;
	memset(b->p + b->len, ' ', n);
	b->len += n;
	b->p[b->len] = 0;
}

void phex(struct pbuf *b, uint64_t v)
{
	char text[16];
	unsigned i = sizeof(text);

	for (; v || i > sizeof(text) - 8; v >>= 4)
		text[--i] = "0123456789abcdef"[v & 15];
	pappend(b, text + i, sizeof(text) - i);
}

void pkilobytes(struct pbuf *b, const char *label, uint64_t kb)
{
	char text[20];
	unsigned i = sizeof(text);
	size_t n = strlen(label);

	do
		text[--i] = (char)('0' + kb % 10);
	while (kb /= 10);
	while (i > sizeof(text) - 8)
		text[--i] = ' ';
	pappend(b, label, n);
	pspaces(b, n < 16 ? 16 - n : 0);
	pappend(b, text + i, sizeof(text) - i);
	pappend(b, " kB\n", 4);
}

bool parse_number(const struct qstr *q, int *out)
{
	int v = 0;

	if (!q->len || q->len > 9 || (q->len > 1 && q->name[0] == '0'))
		return false;
	for (uint32_t i = 0; i < q->len; i++) {
		if (q->name[i] < '0' || q->name[i] > '9')
			return false;
		v = v * 10 + (q->name[i] - '0');
	}
	*out = v;
	return true;
}

/* --- text files ------------------------------------------------------------------------- */
struct ptext {
	struct mutex mu; /* RANK_FILE */
	struct pbuf b; /* [mu] */
	bool made; /* [mu] */
	struct pwatch watch; /* [I after open] of a file that tells of changes */
	_Atomic unsigned seen; /* watch.changes, when it was last polled */
};

static int make_text(struct file *f, struct pbuf *b)
{
	const struct pnode *n = pnode_of(f->inode);
	struct pctx c;
	int ret = pctx_begin(&c, f->inode->sb, n);

	if (ret)
		return ret;
	ret = n->e->flags & PE_PTRACE ? proc_may_access(&c) : 0;
	if (ret && n->e->flags & PE_EPERM)
		ret = -EPERM;
	if (!ret)
		ret = n->e->show(&c, b);
	pctx_end(&c);
	return ret ? ret : b->failed ? -ENOMEM : 0;
}

static ssize_t text_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct ptext *t = f->priv;
	struct pbuf fresh = { 0 };
	ssize_t ret = 0;

	if (!pnode_of(f->inode)->e->show)
		return -EINVAL;
	mutex_lock(&t->mu);
	if (!*pos || !t->made) {
		mutex_unlock(&t->mu);
		ret = make_text(f, &fresh); /* takes other objects' locks */
		mutex_lock(&t->mu);
		if (ret) {
			free(fresh.p);
		} else {
			free(t->b.p);
			t->b = fresh;
			t->made = true;
		}
	}
	if (!ret && (size_t)*pos < t->b.len) {
		ret = uio_copy_out(u, t->b.p + *pos, t->b.len - (size_t)*pos);
		if (ret > 0)
			*pos += ret;
	}
	mutex_unlock(&t->mu);
	return ret;
}

static ssize_t text_write(struct file *f, struct uio *u, int64_t *pos)
{
	const struct pnode *n = pnode_of(f->inode);
	size_t len = u->resid < WRITE_MAX ? u->resid : WRITE_MAX;
	char *text;
	struct pctx c;
	ssize_t ret;

	if (!n->e->store)
		return -EINVAL;
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	ret = uio_copy_in(u, text, len);
	if (ret >= 0) {
		size_t got = (size_t)ret;

		text[got] = 0;
		ret = pctx_begin(&c, f->inode->sb, n);
		if (!ret) {
			ret = n->e->store(&c, text, got);
			pctx_end(&c);
		}
	}
	free(text);
	return ret;
}

static void text_release(struct file *f)
{
	struct ptext *t = f->priv;

	if (t->watch.put)
		t->watch.put(t->watch.owner);
	mutex_destroy(&t->mu);
	free(t->b.p);
	free(t);
}

/* As Linux does it: that it has changed is told once, however often it is read. */
static uint32_t text_poll(struct file *f)
{
	struct ptext *t = f->priv;
	unsigned now = atomic_load(t->watch.changes);
	uint32_t ready = pnode_of(f->inode)->e->store ? EVENT_READABLE | EVENT_WRITABLE : EVENT_READABLE;

	return atomic_exchange(&t->seen, now) == now ? ready : ready | EVENT_ERR | EVENT_PRI;
}

static const struct file_ops text_ops = { .read = text_read, .write = text_write, .release = text_release };
static const struct file_ops watched_ops = { .read = text_read, .write = text_write, .poll = text_poll, .release = text_release };

static int watch(struct file *f, struct ptext *t)
{
	const struct pnode *n = pnode_of(f->inode);
	struct pctx c;
	int ret = pctx_begin(&c, f->inode->sb, n);

	if (ret)
		return ret;
	ret = n->e->watch(&c, &t->watch);
	pctx_end(&c);
	if (ret)
		return ret;
	t->seen = atomic_load(t->watch.changes);
	f->wq = t->watch.wq;
	f->ops = &watched_ops;
	return 0;
}

int proc_text_open(struct file *f)
{
	struct ptext *t = calloc(1, sizeof(*t));
	int ret;

	if (!t)
		return -ENOMEM;
	mutex_init(&t->mu, RANK_FILE);
	f->ops = &text_ops;
	if (pnode_of(f->inode)->e->watch && (ret = watch(f, t))) {
		mutex_destroy(&t->mu);
		free(t);
		return ret;
	}
	f->priv = t;
	return 0;
}
