/*
 * confine_caps.c - capabilities: keeps the named ones, empties every other set.
 *
 * The sets are written by one capset(2); libcap resolves the names.
 */
#include "libipc/confine_internal.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Root is an id like any other from here on, and stays so. */
#define SECUREBITS \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED | \
		SECBIT_KEEP_CAPS_LOCKED)

static struct err *mask_of(const char *const *caps, uint64_t *mask)
{
	*mask = 0;
	for (; caps && *caps; caps++) {
		cap_value_t v;
		if (cap_from_name(*caps, &v) < 0 || v >= 64)
			return err_new(EINVAL, "unknown capability %s", *caps);
		*mask |= 1ULL << v;
	}
	return NULL;
}

/* Only a process with CAP_SETPCAP can do these; one without has no capability
 * to lose by an exec that seccomp forbids anyway. */
static struct err *empty_bounding_set(void)
{
	for (int cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* the kernel's last one was before */
			break;
		if (errno == EPERM)
			return NULL;
		return err_new(errno, "dropping capability %d from the bounding set", cap);
	}
	if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) < 0 && errno != EPERM)
		return err_new(errno, "securebits");
	return NULL;
}

struct err *confine_caps(const char *const *caps)
{
	uint64_t keep;
	struct err *e = mask_of(caps, &keep);
	if (!e)
		e = empty_bounding_set();
	if (e)
		return e;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_new(errno, "clearing ambient capabilities");
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2];
	if (syscall(SYS_capget, &head, now) < 0)
		return err_new(errno, "capget");
	/* started without one of them: do without it; the call that needs it will say so */
	keep &= (uint64_t)now[1].permitted << 32 | now[0].permitted;
	struct __user_cap_data_struct set[2] = {
		{ .effective = (uint32_t)keep, .permitted = (uint32_t)keep },
		{ .effective = (uint32_t)(keep >> 32), .permitted = (uint32_t)(keep >> 32) },
	};
	if (syscall(SYS_capset, &head, set) < 0)
		return err_new(errno, "capset");
	return NULL;
}
