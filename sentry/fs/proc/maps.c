/*
 * maps.c - /proc/PID/{maps,smaps,smaps_rollup}.
 *
 * Areas are gathered under the address space's lock into a list with file
 * references; names, which need the vfs's locks, are made afterwards.
 */
#include "fs/proc/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct list {
	struct mm_area *a;
	size_t n, cap;
	bool failed;
};

static int gather(const struct mm_area *a, void *arg)
{
	struct list *l = arg;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct mm_area *grown = reallocarray(l->a, cap, sizeof(*grown));

		if (!grown) {
			l->failed = true;
			return -ENOMEM;
		}
		l->a = grown;
		l->cap = cap;
	}
	l->a[l->n] = *a;
	if (a->file)
		file_get(a->file);
	l->n++;
	return 0;
}

static int gather_all(struct pctx *c, struct list *l)
{
	struct mm *mm = c->t ? task_get_mm(c->t) : NULL;

	*l = (struct list){ 0 };
	if (!mm)
		return 0;
	mm_for_each_area(mm, gather, l);
	mm_put(mm);
	return l->failed ? -ENOMEM : 0;
}

static void list_free(struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->a[i].file)
			file_put(l->a[i].file);
	free(l->a);
}

/* Newlines in names are shown as \012, as Linux does. */
static void append_name(struct pbuf *b, const char *s)
{
	for (;;) {
		size_t n = strcspn(s, "\n");

		pappend(b, s, n);
		if (!s[n])
			return;
		pappend(b, "\\012", 4);
		s += n + 1;
	}
}

/* Where the reader's paths begin; the kernel itself reads as the process does. */
static bool reader_root(struct pctx *c, struct path *out)
{
	struct task *me = task_current();
	struct fs_context *fs = task_get_fs(me ? me : c->t);

	if (!fs)
		return false;
	mutex_lock(&fs->mu);
	*out = fs->root;
	path_get(out);
	mutex_unlock(&fs->mu);
	fs_context_put(fs);
	return true;
}

static void line(struct pctx *c, struct pbuf *b, const struct mm_area *a, char *path)
{
	const char mode[6] = { ' ', a->prot & 1 ? 'r' : '-', a->prot & 2 ? 'w' : '-', a->prot & 4 ? 'x' : '-', a->shared ? 's' : 'p', ' ' };
	struct kstat st = { 0 };
	size_t before = b->len;

	if (a->file && a->file->path.dentry)
		vfs_getattr(&a->file->path, &st);
	phex(b, a->start);
	pappend(b, "-", 1);
	phex(b, a->end);
	pappend(b, mode, sizeof(mode));
	phex(b, a->off);
	if (st.dev || st.ino)
		pprintf(b, " %02x:%02x %" PRIu64 " ", (unsigned)(st.dev >> 8 & 0xfff), (unsigned)((st.dev & 0xff) | (st.dev >> 12 & 0xfff00)), st.ino);
	else
		pappend(b, " 00:00 0 ", 9);
	if (a->file || a->name) {
		const char *name = a->name;
		struct path root = { NULL, NULL };

		if (b->len - before < 73)
			pspaces(b, 73 - (b->len - before));
		if (!name && a->file->path.dentry) {
			name = NULL;
			if (reader_root(c, &root)) {
				name = vfs_path_from_top(&a->file->path, &root, path, 8192);
				path_put(&root);
			}
		}
		append_name(b, name ? name : "");
	}
	pappend(b, "\n", 1);
}

static void details(struct pbuf *b, const struct mm_area *a)
{
	uint64_t kb = a->rss / 1024, anon = a->anon / 1024, clean = kb > anon ? kb - anon : 0;

	const struct {
		const char *label;
		uint64_t kb;
	} lines[] = {
		{ "Rss:", kb }, { "Pss:", kb }, { "Pss_Dirty:", anon },
		{ "Shared_Clean:", clean }, { "Shared_Dirty:", 0 }, { "Private_Clean:", 0 }, { "Private_Dirty:", anon },
		{ "Referenced:", kb }, { "Anonymous:", anon }, { "LazyFree:", 0 }, { "AnonHugePages:", 0 },
		{ "Swap:", 0 }, { "SwapPss:", 0 }, { "Locked:", 0 },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		pkilobytes(b, lines[i].label, lines[i].kb);
}

static int show_areas(struct pctx *c, struct pbuf *b, bool detailed)
{
	char *path = malloc(8192);
	struct list l = { 0 };
	int ret = path ? gather_all(c, &l) : -ENOMEM;

	for (size_t i = 0; !ret && i < l.n; i++) {
		line(c, b, &l.a[i], path);
		if (!detailed)
			continue;
		pkilobytes(b, "Size:", (l.a[i].end - l.a[i].start) / 1024);
		pkilobytes(b, "KernelPageSize:", 4);
		pkilobytes(b, "MMUPageSize:", 4);
		details(b, &l.a[i]);
		pprintf(b, "THPeligible:           0\nVmFlags:%s%s%s%s\n", l.a[i].prot & 1 ? " rd" : "", l.a[i].prot & 2 ? " wr" : "",
			l.a[i].prot & 4 ? " ex" : "", l.a[i].shared ? " sh" : "");
	}
	list_free(&l);
	free(path);
	return ret;
}

SHOW(show_maps)
{
	return show_areas(c, b, false);
}

SHOW(show_smaps)
{
	return show_areas(c, b, true);
}

SHOW(show_smaps_rollup)
{
	struct mm_area sum = { 0 };
	struct list l;
	int ret = gather_all(c, &l);

	for (size_t i = 0; !ret && i < l.n; i++) {
		sum.rss += l.a[i].rss;
		sum.anon += l.a[i].anon;
	}
	if (!ret && l.n) {
		pprintf(b, "%08" PRIx64 "-%08" PRIx64 " ---p 00000000 00:00 0                                  [rollup]\n", l.a[0].start, l.a[l.n - 1].end);
		details(b, &sum);
	}
	list_free(&l);
	return ret;
}
