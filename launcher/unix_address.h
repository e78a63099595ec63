/*
 * unix_address.h - the address of a socket that a user names by its path.
 */
#ifndef LAUNCHER_UNIX_ADDRESS_H
#define LAUNCHER_UNIX_ADDRESS_H

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* False: it is too long (ENAMETOOLONG). */
static inline bool unix_address(const char *path, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(a->sun_path))
		return false;
	strcpy(a->sun_path, path);
	return true;
}

#endif
