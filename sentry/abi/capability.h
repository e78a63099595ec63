/*
 * capability.h - Linux's capabilities and securebits (linux/capability.h, securebits.h).
 */
#ifndef SENTRY_ABI_CAPABILITY_H
#define SENTRY_ABI_CAPABILITY_H

#include <stdint.h>

#define LINUX_CAP_CHOWN 0
#define LINUX_CAP_DAC_OVERRIDE 1
#define LINUX_CAP_DAC_READ_SEARCH 2
#define LINUX_CAP_FOWNER 3
#define LINUX_CAP_FSETID 4
#define LINUX_CAP_KILL 5
#define LINUX_CAP_SETGID 6
#define LINUX_CAP_SETUID 7
#define LINUX_CAP_SETPCAP 8
#define LINUX_CAP_LINUX_IMMUTABLE 9
#define LINUX_CAP_SYS_CHROOT 18
#define LINUX_CAP_SYS_PTRACE 19
#define LINUX_CAP_SYS_ADMIN 21
#define LINUX_CAP_SYS_BOOT 22
#define LINUX_CAP_SYS_NICE 23
#define LINUX_CAP_SYS_RESOURCE 24
#define LINUX_CAP_SYS_TIME 25
#define LINUX_CAP_MKNOD 27
#define LINUX_CAP_SETFCAP 31
#define LINUX_CAP_MAC_OVERRIDE 32
#define LINUX_CAP_LAST 40
#define LINUX_CAP_ALL ((UINT64_C(1) << (LINUX_CAP_LAST + 1)) - 1)
#define CAPBIT(n) (UINT64_C(1) << (n))
/* What a change of fsuid between 0 and others takes and gives. */
#define LINUX_CAP_FS_SET                                                                                                                             \
	(CAPBIT(LINUX_CAP_CHOWN) | CAPBIT(LINUX_CAP_MKNOD) | CAPBIT(LINUX_CAP_DAC_OVERRIDE) | CAPBIT(LINUX_CAP_DAC_READ_SEARCH) |                    \
		CAPBIT(LINUX_CAP_FOWNER) | CAPBIT(LINUX_CAP_FSETID) | CAPBIT(LINUX_CAP_LINUX_IMMUTABLE) | CAPBIT(LINUX_CAP_MAC_OVERRIDE))

#define LINUX_CAPABILITY_VERSION_1 0x19980330u
#define LINUX_CAPABILITY_VERSION_2 0x20071026u
#define LINUX_CAPABILITY_VERSION_3 0x20080522u

#define LINUX_SECBIT_NOROOT 1u
#define LINUX_SECBIT_NO_SETUID_FIXUP 4u
#define LINUX_SECBIT_KEEP_CAPS 16u
#define LINUX_SECBIT_NO_CAP_AMBIENT_RAISE 64u
#define LINUX_SECURE_ALL_BITS 0x55u
#define LINUX_SECURE_ALL_LOCKS 0xaau

/* security.capability extended attribute */
#define LINUX_VFS_CAP_REVISION_MASK 0xff000000u
#define LINUX_VFS_CAP_REVISION_1 0x01000000u
#define LINUX_VFS_CAP_REVISION_2 0x02000000u
#define LINUX_VFS_CAP_REVISION_3 0x03000000u
#define LINUX_VFS_CAP_EFFECTIVE 1u

#endif
