/*
 * name.c - checks of the names in requests: single components of paths, and
 * extended attributes.  Pure; the sentry that sends them may be hostile.
 */
#include "name.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

int name_check(const struct msg_str *s)
{
	if (s->len > NAME_LONGEST)
		return -ENAMETOOLONG;
	if (!s->len || memchr(s->p, '/', s->len) || memchr(s->p, '\0', s->len))
		return -EINVAL;
	if (s->p[0] == '.' && (s->len == 1 || (s->len == 2 && s->p[1] == '.')))
		return -EINVAL;
	return 0;
}

static bool starts(const struct msg_str *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s->len >= n && !memcmp(s->p, prefix, n);
}

static int xattr_malformed(const struct msg_str *s)
{
	return !s->len || s->len > NAME_LONGEST || memchr(s->p, '\0', s->len) ? -EINVAL : 0;
}

int xattr_check_read(const struct msg_str *s)
{
	static const char *const readable[] = { "security.capability", "system.posix_acl_access", "system.posix_acl_default" };

	if (xattr_malformed(s))
		return -EINVAL;
	if (starts(s, "user."))
		return 0;
	for (size_t i = 0; i < sizeof(readable) / sizeof(*readable); i++) {
		if (!strcmp(s->p, readable[i]))
			return 0;
	}
	/* what an unprivileged reader gets from Linux for these */
	return starts(s, "trusted.") || starts(s, "security.") ? -ENODATA : -EOPNOTSUPP;
}

int xattr_check_write(const struct msg_str *s)
{
	if (xattr_malformed(s))
		return -EINVAL;
	return starts(s, "user.") ? 0 : -EPERM;
}
