/*
 * name.h - which names a request may carry.  Pure.
 */
#ifndef REDOUBT_GOFER_NAME_H
#define REDOUBT_GOFER_NAME_H

#include "libipc/msg.h"

#define NAME_LONGEST 255

/* A single component: 0, or -EINVAL for "", ".", "..", one with '/' or NUL,
 * -ENAMETOOLONG for more than 255 bytes. */
int name_check(const struct msg_str *s);

/* Extended attribute names, for what the guest may do with them:
 * 0, -EINVAL for a malformed name, else the errno that says no. */
int xattr_check_read(const struct msg_str *s);
int xattr_check_write(const struct msg_str *s);

#endif
