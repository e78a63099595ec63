/*
 * userdb.c - resolves user and group names by the container's own /etc/passwd and /etc/group.  The files
 * are under the program's control: each line may be hostile and is only split into fields.
 */
#include "control/container.h"

#include "abi/fcntl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_FILE (4u << 20)
#define MAX_GROUPS 65536

static char *read_file(struct fs_context *fs, const char *path)
{
	struct cred *root = cred_new();
	struct walk w = { .fs = fs, .cred = root, .flags = WALK_FOLLOW };
	struct file *f = NULL;
	char *text = NULL;
	size_t len = 0;

	if (!root)
		return NULL;
	root->cap_effective = 1u << 2 | 1u << 1; /* DAC_READ_SEARCH, DAC_OVERRIDE */
	if (vfs_open(&w, path, LINUX_O_RDONLY | LINUX_O_NONBLOCK, 0, &f))
		goto out;
	while (len < MAX_FILE) {
		char *grown = realloc(text, len + 4097);
		ssize_t n;

		if (!grown)
			break;
		text = grown;
		n = file_read_kernel(f, text + len, 4096, (int64_t)len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (text)
		text[len] = 0;
	file_put(f);
out:
	cred_put(root);
	return text;
}

/* Splits a line at ':' into n fields; those missing stay as they were. */
static void split(char *line, char **fields, unsigned n)
{
	for (unsigned i = 0; i < n && line; i++)
		fields[i] = strsep(&line, ":");
}

static bool number(const char *s, uint32_t *out)
{
	char *end;
	unsigned long v;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	v = strtoul(s, &end, 10);
	if (*end || errno || v > UINT32_MAX - 1)
		return false;
	*out = (uint32_t)v;
	return true;
}

/* Finds the user by name, or by number when name is one. */
static bool find_user(char *passwd, const char *name, uint32_t *uid, uint32_t *gid, char found[256])
{
	uint32_t want = 0, u, g;
	bool by_number = number(name, &want);
	char *line;

	while ((line = strsep(&passwd, "\n"))) {
		char *f[4], empty[1] = "";

		for (int i = 0; i < 4; i++)
			f[i] = empty;
		split(line, f, 4);
		if (!number(f[2], &u) || !number(f[3], &g) || strlen(f[0]) > 255)
			continue;
		if (by_number ? u != want : strcmp(f[0], name))
			continue;
		*uid = u;
		*gid = g;
		strcpy(found, f[0]);
		return true;
	}
	return false;
}

static bool in_list(char *list, const char *name)
{
	char *m;

	while ((m = strsep(&list, ",")))
		if (!strcmp(m, name))
			return true;
	return false;
}

/* The group called `wanted` (if not NULL) into *gid, and the groups that name `member`. */
static bool scan_groups(char *text, const char *wanted, uint32_t *gid, const char *member, uint32_t **groups, size_t *n)
{
	bool found = false;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		char *f[4], empty[1] = "";
		uint32_t g;

		for (int i = 0; i < 4; i++)
			f[i] = empty;
		split(line, f, 4);
		if (!number(f[2], &g))
			continue;
		if (wanted && !found && !strcmp(f[0], wanted)) {
			*gid = g;
			found = true;
		}
		if (*member && *n < MAX_GROUPS && in_list(f[3], member)) {
			uint32_t *grown = reallocarray(*groups, *n + 1, sizeof(*grown));

			if (!grown)
				break;
			*groups = grown;
			grown[(*n)++] = g;
		}
	}
	return found;
}

struct err *userdb_lookup(struct fs_context *fs, const char *user, uint32_t *uid, uint32_t *gid, uint32_t **groups, size_t *n_groups)
{
	char name[256], found[256] = "", *colon, *text;
	const char *group = NULL;
	struct err *e = NULL;

	*groups = NULL;
	*n_groups = 0;
	*gid = 0;
	if (strlen(user) >= sizeof(name))
		return err_new(ENAMETOOLONG, "user %s", user);
	strcpy(name, user);
	colon = strchr(name, ':');
	if (colon) {
		*colon = 0;
		group = colon + 1;
	}
	text = read_file(fs, "/etc/passwd");
	if (!(text && find_user(text, name, uid, gid, found)) && !number(name, uid))
		e = err_new(0, "user %s: no such name in the container's /etc/passwd", name);
	free(text);
	if (e)
		return e;
	text = read_file(fs, "/etc/group");
	if (group && number(group, gid))
		group = NULL;
	if (text) {
		if (!scan_groups(text, group, gid, group ? "" : found, groups, n_groups) && group)
			e = err_new(0, "group %s: no such name in the container's /etc/group", group);
	} else if (group) {
		e = err_new(0, "group %s: the container has no /etc/group", group);
	}
	free(text);
	return e;
}

char *userdb_home(struct fs_context *fs, uint32_t uid)
{
	char *text = read_file(fs, "/etc/passwd"), *rest = text, *line, *home = NULL;
	char empty[1] = "", *f[6];
	uint32_t u;
	int n;

	while (!home && (line = strsep(&rest, "\n"))) {
		for (int i = 0; i < 6; i++)
			f[i] = empty;
		split(line, f, 6);
		if (number(f[2], &u) && u == uid)
			home = f[5];
	}
	n = asprintf(&home, "HOME=%s", home && *home ? home : "/");
	free(text);
	return n < 0 ? NULL : home;
}
