/*
 * options.c - the options of a union's mount: a table; paths with their escapes.
 *
 * As Linux's: commas separate options, colons lower directories, a backslash takes the next
 * character as it is.  What Linux would do and this does not is refused.
 */
#include "fs/union/internal.h"

#include "kernel/klog.h"

#include <stdlib.h>
#include <string.h>

enum option { LOWERDIR, UPPERDIR, WORKDIR, USERXATTR, VOLATILE, NOTHING };

static const struct row {
	const char *name;
	enum option option;
	bool value; /* it takes one */
	const char *known; /* the values that change nothing here, each between commas; NULL: any */
} rows[] = {
	{ "lowerdir", LOWERDIR, true, NULL },
	{ "upperdir", UPPERDIR, true, NULL },
	{ "workdir", WORKDIR, true, NULL },
	{ "userxattr", USERXATTR, false, NULL },
	{ "volatile", VOLATILE, false, NULL },
	{ "default_permissions", NOTHING, false, NULL }, /* they are always checked here */
	{ "redirect_dir", NOTHING, true, ",off,nofollow," },
	{ "index", NOTHING, true, ",off," },
	{ "nfs_export", NOTHING, true, ",off," },
	{ "metacopy", NOTHING, true, ",off," },
	{ "xino", NOTHING, true, ",off,auto," },
	{ "uuid", NOTHING, true, ",off,null,auto," },
	{ "verity", NOTHING, true, ",off," },
};

void union_says(struct vfs *v, const char *why) { klog(vfs_kernel(v), KLOG_ERR, "overlayfs: %s", why); }

void union_tells(struct vfs *v, const struct fs_context_args *a, const char *why)
{
	union_says(v, why);
	if (a->say)
		a->say(a, why);
}

static int refuse(const struct uoptions *o, const char *why)
{
	union_tells(o->vfs, o->args, why);
	return -EINVAL;
}

/* The end of what begins at s: an unescaped c, or the string's end. */
static char *end_of(char *s, char c)
{
	for (; *s && *s != c; s++)
		if (*s == '\\' && s[1])
			s++;
	return s;
}

static void unescape(char *s)
{
	char *w = s;

	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		*w++ = *s;
	}
	*w = 0;
}

static int set_path(char **path, char **said, const char *value)
{
	free(*path);
	free(*said);
	*path = strdup(value);
	*said = strdup(value);
	if (!*path || !*said)
		return -ENOMEM;
	unescape(*path);
	return 0;
}

static void free_lowers(struct uoptions *o)
{
	for (unsigned i = 0; i < o->n_lower; i++)
		free(o->lower[i]);
	free(o->lower);
	free(o->lower_said);
	o->lower = NULL;
	o->lower_said = NULL;
	o->n_lower = 0;
}

static int add_lower(struct uoptions *o, char *path)
{
	if (!*path)
		return refuse(o, "an empty lower directory, or one of data only, which are not supported");
	if (o->n_lower == UNION_LOWERS_MAX)
		return refuse(o, "too many lower directories");
	o->lower[o->n_lower] = strdup(path);
	if (!o->lower[o->n_lower])
		return -ENOMEM;
	unescape(o->lower[o->n_lower++]);
	return 0;
}

static int set_lowers(struct uoptions *o, char *value)
{
	int r = 0;

	free_lowers(o);
	o->lower = calloc(UNION_LOWERS_MAX, sizeof(*o->lower));
	o->lower_said = strdup(value);
	if (!o->lower || !o->lower_said)
		return -ENOMEM;
	for (char *p = value, *end; !r; p = end + 1) {
		bool last;

		end = end_of(p, ':');
		last = !*end;
		*end = 0;
		r = add_lower(o, p);
		if (last)
			break;
	}
	return r;
}

static bool is_known(const char *known, const char *value)
{
	char word[32] = ",";

	if (strlen(value) > sizeof(word) - 3 || strchr(value, ','))
		return false;
	strcat(strcat(word, value), ",");
	return strstr(known, word);
}

static int one(struct uoptions *o, const char *key, char *value)
{
	const struct row *row = NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(key, rows[i].name))
			row = &rows[i];
	if (!row || row->value != (value != NULL))
		return refuse(o, "an unknown mount option, or one without its value");
	switch (row->option) {
	case LOWERDIR:
		return set_lowers(o, value);
	case UPPERDIR:
		return set_path(&o->upper, &o->upper_said, value);
	case WORKDIR:
		return set_path(&o->work, &o->work_said, value);
	case USERXATTR:
		o->user_xattrs = true;
		return 0;
	case VOLATILE:
		o->no_sync = true;
		return 0;
	case NOTHING:
		break;
	}
	if (row->known && !is_known(row->known, value)) {
		klog(vfs_kernel(o->vfs), KLOG_ERR, "overlayfs: %s is supported as off only", row->name);
		return -EINVAL;
	}
	return 0;
}

static int check(struct uoptions *o)
{
	if (!o->n_lower)
		return refuse(o, "missing 'lowerdir'");
	if (!o->upper && o->n_lower == 1)
		return refuse(o, "at least 2 lowerdir are needed while upperdir nonexistent");
	if (o->upper && !o->work)
		return refuse(o, "missing 'workdir'");
	if (!o->upper) { /* as Linux: without an upper directory they mean nothing */
		free(o->work);
		free(o->work_said);
		o->work = o->work_said = NULL;
		o->no_sync = false;
	}
	return 0;
}

int union_option(const struct fs_context_args *a, const char *key, char *value)
{
	struct uoptions o = { .vfs = a->fs->root.dentry->sb->vfs, .args = a };
	size_t i = 0;
	int r;

	while (i < sizeof(rows) / sizeof(*rows) && strcmp(key, rows[i].name))
		i++;
	r = i == sizeof(rows) / sizeof(*rows) ? -ENOENT : one(&o, key, value);
	uoptions_free(&o);
	return r;
}

int uoptions_parse(struct vfs *v, const struct fs_context_args *a, struct uoptions *out)
{
	char *copy = strdup(a->options ? a->options : "");
	int r = copy ? 0 : -ENOMEM;
	bool last = !copy;

	*out = (struct uoptions){ .vfs = v, .args = a };
	for (char *p = copy, *end; !r && !last; p = end + 1) {
		char *value;

		end = end_of(p, ',');
		last = !*end;
		*end = 0;
		value = strchr(p, '=');
		if (value)
			*value++ = 0;
		if (*p)
			r = one(out, p, value);
	}
	free(copy);
	if (!r)
		r = check(out);
	if (r)
		uoptions_free(out);
	return r;
}

void uoptions_free(struct uoptions *o)
{
	free_lowers(o);
	free(o->upper);
	free(o->work);
	free(o->upper_said);
	free(o->work_said);
	*o = (struct uoptions){ NULL };
}

/* --- as /proc/mounts shows them ---------------------------------------------------------------- */

static char *append(char *to, const char *name, const char *value)
{
	to = stpcpy(stpcpy(stpcpy(to, ","), name), "=");
	for (; *value; value++) {
		if (strchr(", \t\n\\", *value)) {
			*to++ = '\\';
			*to++ = (char)('0' + (*value >> 6 & 3));
			*to++ = (char)('0' + (*value >> 3 & 7));
			*to++ = (char)('0' + (*value & 7));
		} else {
			*to++ = *value;
		}
	}
	*to = 0;
	return to;
}

char *uoptions_shown(const struct uoptions *o)
{
	size_t size = 128 + 4 * (strlen(o->lower_said) + (o->upper ? strlen(o->upper_said) + strlen(o->work_said) : 0));
	char *text = malloc(size), *to;

	if (!text)
		return NULL;
	to = append(text, "lowerdir", o->lower_said);
	if (o->upper) {
		to = append(to, "upperdir", o->upper_said);
		to = append(to, "workdir", o->work_said);
	}
	if (o->no_sync)
		to = stpcpy(to, ",volatile");
	if (o->user_xattrs)
		stpcpy(to, ",userxattr");
	return text;
}
