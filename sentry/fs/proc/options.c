/*
 * options.c - what a mount of /proc hides: hidepid= and gid= the processes of others, subset=pid whatever is
 * not about a process.  A remount changes them while others look.
 */
#include "fs/proc/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct values {
	uint32_t hide, gid;
	bool pids_only;
};

static const struct {
	const char *name;
	uint32_t hide;
} hides[] = {
	{ "off", PROC_HIDE_NOTHING },
	{ "noaccess", PROC_HIDE_CONTENTS },
	{ "invisible", PROC_HIDE_OTHERS },
	{ "ptraceable", PROC_HIDE_UNTRACEABLE },
};
#define N_HIDES (sizeof(hides) / sizeof(hides[0]))

static int parse_u32(const char *value, uint32_t *out)
{
	char *end;
	unsigned long n = strtoul(value, &end, 0);

	if (*value < '0' || *value > '9' || *end || n >= UINT32_MAX)
		return -EINVAL;
	*out = (uint32_t)n;
	return 0;
}

static int parse_hide(const char *value, uint32_t *hide)
{
	uint32_t n;
	bool number = !parse_u32(value, &n);

	for (size_t i = 0; i < N_HIDES; i++) {
		if (number ? n != hides[i].hide : strcmp(value, hides[i].name))
			continue;
		*hide = hides[i].hide;
		return 0;
	}
	return -EINVAL;
}

static int parse_gid(const char *value, const struct user_ns *ns, uint32_t *gid)
{
	uint32_t n;
	int r = parse_u32(value, &n);

	if (r)
		return r;
	*gid = ns ? user_ns_kernel_id(ns, true, n) : n;
	return *gid == ID_NONE ? -EINVAL : 0;
}

/* value: NULL, if there is none. -ENOENT: there is no such option. */
static int set_one(struct values *v, const char *key, const char *value, const struct user_ns *ns)
{
	if (!strcmp(key, "hidepid"))
		return value ? parse_hide(value, &v->hide) : -EINVAL;
	if (!strcmp(key, "gid"))
		return value ? parse_gid(value, ns, &v->gid) : -EINVAL;
	if (strcmp(key, "subset"))
		return -ENOENT;
	if (!value || strcmp(value, "pid"))
		return -EINVAL;
	v->pids_only = true;
	return 0;
}

int proc_option(const struct fs_context_args *a, const char *key, char *value)
{
	struct values v;

	return set_one(&v, key, value, a->cred ? a->cred->user_ns : NULL);
}

static int parse_one(char *opt, const struct user_ns *ns, struct values *v)
{
	const char *key = strsep(&opt, "=");
	int r = *key ? set_one(v, key, opt, ns) : 0;

	return r == -ENOENT ? -EINVAL : r;
}

/* They change what was there, all of them or none; ns: whose numbers they use, NULL the first one's. */
static int set_options(struct proc_super *s, const char *options, const struct user_ns *ns)
{
	struct values v = { s->hide, s->gid, s->pids_only };
	char *copy = strdup(options ? options : ""), *rest = copy, *opt;
	int r = copy ? 0 : -ENOMEM;

	while (!r && (opt = strsep(&rest, ",")))
		r = parse_one(opt, ns, &v);
	free(copy);
	if (r)
		return r;
	s->hide = v.hide;
	s->gid = v.gid;
	s->pids_only = v.pids_only;
	return 0;
}

int proc_super_init(struct superblock *sb, struct pid_ns *ns, const struct fs_context_args *a)
{
	struct proc_super *s = calloc(1, sizeof(*s));
	int r = s ? set_options(s, a->options, a->cred ? a->cred->user_ns : NULL) : -ENOMEM;

	if (r) {
		free(s);
		return r;
	}
	pid_ns_get(ns);
	s->ns = ns;
	sb->priv = s;
	return 0;
}

void proc_super_kill(struct superblock *sb)
{
	struct proc_super *s = sb->priv;

	if (s)
		pid_ns_put(s->ns);
	free(s);
}

int proc_remount(struct superblock *sb, unsigned flags, const char *options)
{
	struct task *t = task_current();

	return set_options(sb->priv, options, t ? t->cred->user_ns : NULL);
}

int proc_show_options(struct superblock *sb, char *buf, size_t size)
{
	const struct proc_super *s = sb->priv;
	struct task *t = task_current();
	uint32_t gid = s->gid, hide = s->hide;
	int n = 0;

	buf[0] = 0;
	if (gid)
		n += snprintf(buf, size, ",gid=%u", t ? gid_shown(t->cred->user_ns, gid) : gid);
	for (size_t i = 1; i < N_HIDES; i++)
		if (hides[i].hide == hide && (size_t)n < size)
			n += snprintf(buf + n, size - (size_t)n, ",hidepid=%s", hides[i].name);
	if (s->pids_only && (size_t)n < size)
		n += snprintf(buf + n, size - (size_t)n, ",subset=pid");
	return n;
}

/* Linux: has_pid_permissions(). */
bool proc_shows(struct pctx *c, uint32_t least)
{
	uint32_t hide = c->super ? c->super->hide : PROC_HIDE_NOTHING;
	struct task *me = task_current();

	if (hide != PROC_HIDE_UNTRACEABLE && (hide < least || !me || cred_in_group(me->cred, c->super->gid)))
		return true;
	return !proc_may_access(c);
}

bool proc_shows_node(const struct pctx *dir, const struct pnode *n, uint32_t least)
{
	struct pctx c;
	bool shows;

	if (!dir->super || dir->super->hide == PROC_HIDE_NOTHING)
		return true;
	if (pctx_begin_in(&c, dir->k, dir->ns, n))
		return false;
	c.super = dir->super;
	shows = proc_shows(&c, least);
	pctx_end(&c);
	return shows;
}

bool proc_shows_entry(const struct pctx *dir, const struct pentry *e)
{
	return !dir->super || !dir->super->pids_only || dir->node->e != &proc_root_entry || e->flags & PE_PIDS;
}

int proc_dir_permitted(const struct inode *i, uint32_t least)
{
	const struct proc_super *s = i->sb->priv;
	struct pctx c;
	int r;

	if (s->hide == PROC_HIDE_NOTHING || pnode_of(i)->e != &proc_pid_entry)
		return 0;
	r = pctx_begin(&c, i->sb, pnode_of(i));
	if (r)
		return r;
	if (!proc_shows(&c, least))
		r = least == PROC_HIDE_OTHERS || s->hide == PROC_HIDE_OTHERS ? -ENOENT : -EPERM;
	pctx_end(&c);
	return r;
}
