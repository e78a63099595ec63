/*
 * ifreq.c - the interface requests of ioctl(2) (netdevice(7)), for the loopback.
 */
#include "net/lo.h"

#include "abi/socket.h"
#include "mm/usercopy.h"

#include <errno.h>
#include <string.h>

static void set_addr(struct linux_ifreq *r, uint8_t a, uint8_t d)
{
	const uint8_t ip[4] = { a, 0, 0, d };

	memset(r->bytes, 0, sizeof(r->bytes));
	r->in.family = LINUX_AF_INET;
	memcpy(&r->in.addr, ip, sizeof(ip));
}

/* List of the interfaces with an address; buffer 0 asks for the size. */
static int list(struct mm *mm, uint64_t arg)
{
	struct linux_ifconf c;
	struct linux_ifreq r = { .name = LO_NAME };

	if (copy_from_user(mm, &c, UADDR(arg), sizeof(c)))
		return -EFAULT;
	set_addr(&r, 127, 1);
	if (!c.buf) {
		c.len = sizeof(r);
	} else if (c.len < (int32_t)sizeof(r)) {
		c.len = 0;
	} else {
		c.len = sizeof(r);
		if (copy_to_user(mm, UADDR(c.buf), &r, sizeof(r)))
			return -EFAULT;
	}
	return copy_to_user(mm, UADDR(arg), &c, sizeof(c));
}

/* Fills r for the loopback; -ENOTTY: no such request. */
static int answer(unsigned cmd, struct linux_ifreq *r)
{
	switch (cmd) {
	case LINUX_SIOCGIFFLAGS:
		r->flags = (int16_t)LO_FLAGS;
		return 0;
	case LINUX_SIOCGIFADDR:
	case LINUX_SIOCGIFDSTADDR:
		set_addr(r, 127, 1);
		return 0;
	case LINUX_SIOCGIFBRDADDR:
		set_addr(r, 0, 0);
		return 0;
	case LINUX_SIOCGIFNETMASK:
		set_addr(r, 255, 0);
		return 0;
	case LINUX_SIOCGIFMETRIC:
		r->value = 0;
		return 0;
	case LINUX_SIOCGIFMTU:
		r->value = LO_MTU;
		return 0;
	case LINUX_SIOCGIFTXQLEN:
		r->value = LO_TXQLEN;
		return 0;
	case LINUX_SIOCGIFINDEX:
		r->value = LO_INDEX;
		return 0;
	case LINUX_SIOCGIFHWADDR:
		memset(r->bytes, 0, 16);
		r->in.family = LINUX_ARPHRD_LOOPBACK;
		return 0;
	case LINUX_SIOCGIFMAP:
		memset(r->bytes, 0, sizeof(r->bytes));
		return 0;
	case LINUX_SIOCSIFFLAGS:
		return -EPERM;
	default:
		return -ENOTTY;
	}
}

int lo_ioctl(struct mm *mm, unsigned cmd, uint64_t arg)
{
	struct linux_ifreq r, probe = { .name = "" };
	int e;

	if (cmd == LINUX_SIOCGIFCONF)
		return list(mm, arg);
	if (cmd != LINUX_SIOCGIFNAME && answer(cmd, &probe) == -ENOTTY)
		return -ENOTTY;
	if (copy_from_user(mm, &r, UADDR(arg), sizeof(r)))
		return -EFAULT;
	if (cmd == LINUX_SIOCGIFNAME) {
		if (r.value != LO_INDEX)
			return -ENODEV;
		memset(r.name, 0, sizeof(r.name));
		strcpy(r.name, LO_NAME);
	} else {
		if (strncmp(r.name, LO_NAME, sizeof(r.name)))
			return -ENODEV;
		e = answer(cmd, &r);
		if (e)
			return e;
	}
	return copy_to_user(mm, UADDR(arg), &r, sizeof(r));
}
