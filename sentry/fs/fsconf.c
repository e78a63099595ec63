/*
 * fsconf.c - file systems in the making (see fsconf.h).  c->mu (RANK_MOUNTING) is held while a
 * type makes or changes one; what the program gave was copied before.  Tasks' own threads.
 *
 * As Linux's (fs/fsopen.c, fs/fs_context.c): parameters, then creation, one fsmount; afterwards
 * the descriptor is as one of fspick, which takes parameters and reconfigures, again and again.
 * A failure to create or to change leaves it of no more use.
 */
#include "fs/fsconf.h"

#include "abi/fcntl.h"
#include "mm/usercopy.h"
#include "vfs/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 8 /* kept: the last ones */
#define OPTIONS_MAX 65536 /* bytes of all parameters */

enum phase { CREATE_PARAMS, AWAITING_MOUNT, RECONF_PARAMS, FAILED };

struct fsconf {
	struct mutex mu; /* RANK_MOUNTING */
	const struct fs_type *type; /* [I] */
	enum phase phase; /* [mu] */
	struct vfs *vfs; /* [I] */
	struct superblock *sb; /* [mu] what was made or picked, once; owned; NULL: nothing yet */
	unsigned flags, mask; /* [mu] of the file system's: set, and which were said */
	char *source; /* [mu] owned */
	char *options; /* [mu] owned; as mount(2) takes them */
	char *messages[MESSAGES]; /* [mu] owned; a ring */
	unsigned first, n_messages; /* [mu] */
};

/* --- messages ------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say(struct fsconf *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	unsigned at;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	strcat(text, "\n");
	if (c->n_messages == MESSAGES) {
		free(c->messages[c->first]);
		c->first = (c->first + 1) % MESSAGES;
		c->n_messages--;
	}
	at = (c->first + c->n_messages) % MESSAGES;
	c->messages[at] = strdup(text);
	if (c->messages[at])
		c->n_messages++;
}

/* From a type that makes a file system. */
static void say_why(const struct fs_context_args *a, const char *why)
{
	struct fsconf *c = a->sayer;

	say(c, "e %s: %s", c->type->name, why);
}

/* One message; it stays where there is no room for it. */
static ssize_t fsconf_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct fsconf *c = f->priv;
	char *text;
	ssize_t n;

	mutex_lock(&c->mu);
	text = c->n_messages ? c->messages[c->first] : NULL;
	n = text ? (ssize_t)strlen(text) : -ENODATA;
	if (n > 0 && (uint64_t)n > u->resid)
		n = -EMSGSIZE;
	if (n > 0) {
		c->messages[c->first] = NULL;
		c->first = (c->first + 1) % MESSAGES;
		c->n_messages--;
	}
	mutex_unlock(&c->mu);
	if (n < 0)
		return n;
	if (uio_copy_out(u, text, (size_t)n) != n)
		n = -EFAULT;
	free(text);
	return n;
}

/* --- the file --------------------------------------------------------------------------- */

static void release(struct file *f)
{
	struct fsconf *c = f->priv;

	super_put(c->sb);
	for (unsigned i = 0; i < MESSAGES; i++)
		free(c->messages[i]);
	free(c->source);
	free(c->options);
	mutex_destroy(&c->mu);
	free(c);
}

static const struct file_ops fsconf_ops = { .read = fsconf_read, .release = release };

struct fsconf *fsconf_of(const struct file *f)
{
	return f->ops == &fsconf_ops && !(f->mode & FILE_PATH) ? f->priv : NULL;
}

const struct fs_type *fsconf_type(const struct fsconf *c) { return c->type; }

static int new_file(struct vfs *v, const struct fs_type *type, struct superblock *sb, const struct cred *cred, struct file **out)
{
	struct fsconf *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	mutex_init(&c->mu, RANK_MOUNTING);
	c->vfs = v;
	c->type = type;
	c->phase = sb ? RECONF_PARAMS : CREATE_PARAMS;
	r = file_new_anon(v, &fsconf_ops, "[fscontext]", 0600, LINUX_O_RDWR, cred, c, out);
	if (r) {
		mutex_destroy(&c->mu);
		free(c);
		return r;
	}
	(*out)->mode |= FILE_STREAM;
	if (sb) {
		ref_get(&sb->ref);
		c->sb = sb;
	}
	return 0;
}

int fsconf_new(struct vfs *v, const struct fs_type *type, const struct cred *c, struct file **out) { return new_file(v, type, NULL, c, out); }
int fsconf_pick(struct superblock *sb, const struct cred *c, struct file **out) { return new_file(sb->vfs, sb->type, sb, c, out); }

/* --- parameters ------------------------------------------------------------------------- */

/* Flags of any file system's. */
static bool is_super_flag(struct fsconf *c, const char *key)
{
	static const struct {
		const char *name;
		unsigned flag;
		bool set;
	} rows[] = {
		{ "dirsync", LINUX_MS_DIRSYNC, true }, { "lazytime", LINUX_MS_LAZYTIME, true }, { "mand", LINUX_MS_MANDLOCK, true }, { "ro", LINUX_MS_RDONLY, true },
		{ "sync", LINUX_MS_SYNCHRONOUS, true }, { "async", LINUX_MS_SYNCHRONOUS, false }, { "nolazytime", LINUX_MS_LAZYTIME, false },
		{ "nomand", LINUX_MS_MANDLOCK, false }, { "rw", LINUX_MS_RDONLY, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(key, rows[i].name))
			continue;
		c->flags = rows[i].set ? c->flags | rows[i].flag : c->flags & ~rows[i].flag;
		c->mask |= rows[i].flag;
		return true;
	}
	return false;
}

static int set_source(struct fsconf *c, enum fsconf_kind kind, const char *value)
{
	if (kind != FSCONF_STRING) {
		say(c, "e Non-string source");
		return -EINVAL;
	}
	if (c->source) {
		say(c, "e Multiple sources");
		return -EINVAL;
	}
	c->source = strdup(value);
	return c->source ? 0 : -ENOMEM;
}

/* ",key=value", where the type can read it: with a backslash before each comma in the value. */
static int append(struct fsconf *c, const char *key, const char *value)
{
	size_t had = c->options ? strlen(c->options) : 0, room = had + strlen(key) + (value ? 2 * strlen(value) : 0) + 3;
	char *all = room <= OPTIONS_MAX ? realloc(c->options, room) : NULL, *to;

	if (!all)
		return room <= OPTIONS_MAX ? -ENOMEM : -EINVAL;
	c->options = all;
	to = all + had;
	if (had)
		*to++ = ',';
	to = stpcpy(to, key);
	if (value) {
		*to++ = '=';
		for (; *value; value++) {
			if (*value == ',')
				*to++ = '\\';
			*to++ = *value;
			if (*value == '\\' && value[1])
				*to++ = *++value;
		}
	}
	*to = 0;
	return 0;
}

static int set_option(struct fsconf *c, const struct fs_context_args *who, const char *key, enum fsconf_kind kind, char *value)
{
	struct fs_context_args a = *who;
	char *copy = value ? strdup(value) : NULL;
	int r;

	if (value && !copy)
		return -ENOMEM;
	a.say = say_why;
	a.sayer = c;
	r = c->type->option ? c->type->option(&a, key, copy) : -ENOENT;
	free(copy);
	if (!r && (kind == FSCONF_OTHER || strpbrk(key, ",=") || (value && strchr(value, ',') && !c->type->escapes)))
		r = -EINVAL;
	if (r == -EINVAL)
		say(c, "e %s: Bad value for '%s'", c->type->name, key);
	return r ? r : append(c, key, value);
}

int fsconf_set(struct fsconf *c, const struct fs_context_args *who, const char *key, enum fsconf_kind kind, char *value)
{
	int r = 0;

	mutex_lock(&c->mu);
	if (c->phase != CREATE_PARAMS && c->phase != RECONF_PARAMS) {
		r = -EBUSY;
	} else if (!is_super_flag(c, key)) {
		r = set_option(c, who, key, kind, value);
		if (r == -ENOENT && !strcmp(key, "source")) {
			r = set_source(c, kind, value);
		} else if (r == -ENOENT) {
			say(c, "e %s: Unknown parameter '%s'", c->type->name, key);
			r = -EINVAL;
		}
	}
	mutex_unlock(&c->mu);
	return r;
}

/* --- what is done with them ----------------------------------------------------------------- */

/* The parameters have served their purpose; others may follow. */
static void forget(struct fsconf *c)
{
	free(c->source);
	free(c->options);
	c->source = c->options = NULL;
	c->flags = c->mask = 0;
	c->phase = RECONF_PARAMS;
}

int fsconf_create(struct fsconf *c, const struct fs_context_args *who, bool may)
{
	struct fs_context_args a = *who;
	int r;

	mutex_lock(&c->mu);
	r = c->phase != CREATE_PARAMS ? -EBUSY : may ? 0 : -EPERM;
	if (!r) {
		a.source = c->source ? c->source : "none";
		a.options = c->options;
		a.flags = c->flags;
		a.say = say_why;
		a.sayer = c;
		r = c->type->mount(c->vfs, c->type, &a, &c->sb);
		c->phase = r ? FAILED : AWAITING_MOUNT;
	}
	mutex_unlock(&c->mu);
	return r;
}

struct user_ns *fsconf_owner(struct fsconf *c)
{
	struct user_ns *owner;

	mutex_lock(&c->mu);
	owner = c->sb ? c->sb->owner : NULL;
	mutex_unlock(&c->mu);
	return owner;
}

int fsconf_reconfigure(struct fsconf *c, bool may)
{
	int r;

	mutex_lock(&c->mu);
	r = c->phase != RECONF_PARAMS ? -EBUSY : may ? 0 : -EPERM;
	if (!r)
		r = vfs_reconfigure(c->sb, c->flags, c->mask, c->options ? c->options : "");
	if (!r)
		forget(c);
	else if (r != -EBUSY)
		c->phase = FAILED;
	mutex_unlock(&c->mu);
	return r;
}

int fsconf_mount(struct fsconf *c, struct mount_ns *ns, unsigned flags, bool may, struct path *out)
{
	int r = 0;

	mutex_lock(&c->mu);
	if (!c->sb)
		r = -EINVAL;
	else if (!may)
		r = -EPERM;
	else if (c->phase != AWAITING_MOUNT)
		r = -EBUSY;
	else
		r = vfs_tree_new(ns, c->sb, flags, out);
	if (!r)
		forget(c);
	mutex_unlock(&c->mu);
	return r;
}
