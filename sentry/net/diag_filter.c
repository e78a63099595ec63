/*
 * diag_filter.c - the filter programs of sock_diag requests: conditions on ports, addresses and interfaces,
 * each with the distance to jump if it holds and if not.  All jumps lead forward, so a program ends.
 * It comes from the program inside: checked whole, then run from the same private copy.
 * Source of the rules: sock_diag(7), linux/net/ipv4/inet_diag.c.
 */
#include "net/diag.h"

#include "abi/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define OP ((size_t)sizeof(struct linux_inet_diag_op))

static struct linux_inet_diag_op op_at(const struct diag_filter *f, size_t at)
{
	struct linux_inet_diag_op o;

	memcpy(&o, f->p + at, sizeof(o));
	return o;
}

/* --- checking ------------------------------------------------------------------------------- */

static size_t address_bytes(const struct linux_inet_diag_hostcond *c)
{
	return c->family == LINUX_AF_INET ? 4 : c->family == LINUX_AF_INET6 ? 16 : 0;
}

/* How many bytes the operation at `at` has in all; 0: not one, or not whole. */
static size_t operation_size(const struct diag_filter *f, size_t at)
{
	struct linux_inet_diag_hostcond c;
	size_t left = f->n - at, n = OP;

	switch (op_at(f, at).code) {
	case LINUX_INET_DIAG_BC_NOP:
	case LINUX_INET_DIAG_BC_JMP:
	case LINUX_INET_DIAG_BC_AUTO:
		break;
	case LINUX_INET_DIAG_BC_S_GE:
	case LINUX_INET_DIAG_BC_S_LE:
	case LINUX_INET_DIAG_BC_D_GE:
	case LINUX_INET_DIAG_BC_D_LE:
	case LINUX_INET_DIAG_BC_S_EQ:
	case LINUX_INET_DIAG_BC_D_EQ:
		n += OP;
		break;
	case LINUX_INET_DIAG_BC_DEV_COND:
		n += sizeof(uint32_t);
		break;
	case LINUX_INET_DIAG_BC_S_COND:
	case LINUX_INET_DIAG_BC_D_COND:
		n += sizeof(c);
		if (left < n)
			return 0;
		memcpy(&c, f->p + at + OP, sizeof(c));
		if (c.family > LINUX_AF_INET6 || c.prefix_len > address_bytes(&c) * 8)
			return 0;
		n += address_bytes(&c);
		break;
	default:
		return 0;
	}
	return n <= left ? n : 0;
}

/* `to` is reached by the lengths of the operations that do hold. */
static bool is_operation(const struct diag_filter *f, size_t to)
{
	size_t at = 0;

	while (at < to)
		at += op_at(f, at).yes;
	return at == to;
}

int diag_filter_check(const struct diag_filter *f)
{
	if (!f->p)
		return 0;
	for (size_t at = 0; at < f->n;) {
		size_t left = f->n - at, size = left < OP ? 0 : operation_size(f, at);
		struct linux_inet_diag_op o;

		if (!size)
			return -EINVAL;
		o = op_at(f, at);
		if (o.yes < size || o.yes > left || o.yes & 3)
			return -EINVAL;
		if (o.code != LINUX_INET_DIAG_BC_NOP && (o.no < size || o.no & 3 || o.no > left + OP))
			return -EINVAL; /* one more than the end is "not wanted" */
		at += o.yes;
	}
	for (size_t at = 0; at < f->n; at += op_at(f, at).yes) {
		struct linux_inet_diag_op o = op_at(f, at);

		if (o.code != LINUX_INET_DIAG_BC_NOP && o.no < f->n - at && !is_operation(f, at + o.no))
			return -EINVAL;
	}
	return 0;
}

/* --- running --------------------------------------------------------------------------------- */

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned rest = bits % 8, whole = bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	return !memcmp(a, b, whole) && (!rest || !((a[whole] ^ b[whole]) & mask));
}

static bool host_holds(const struct diag_filter *f, size_t at, const struct linux_inet_diag_msg *m, const uint32_t ip[4], uint16_t port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *want = f->p + at + OP + sizeof(struct linux_inet_diag_hostcond), *have = (const uint8_t *)ip;
	struct linux_inet_diag_hostcond c;

	memcpy(&c, f->p + at + OP, sizeof(c));
	if (c.port != -1 && c.port != port)
		return false;
	if (!c.family)
		return true;
	if (c.family != m->family) {
		if (m->family != LINUX_AF_INET6 || c.family != LINUX_AF_INET || memcmp(have, mapped, sizeof(mapped)))
			return false;
		have += sizeof(mapped); /* IPv4 by a socket of IPv6 */
	}
	return bits_equal(have, want, c.prefix_len);
}

static bool holds(const struct diag_filter *f, size_t at, const struct linux_inet_diag_msg *m)
{
	uint16_t sport = ntohs(m->id.sport), dport = ntohs(m->id.dport);
	uint8_t code = op_at(f, at).code;
	uint32_t index;

	switch (code) {
	case LINUX_INET_DIAG_BC_JMP:
		return false;
	case LINUX_INET_DIAG_BC_S_GE:
		return sport >= op_at(f, at + OP).no;
	case LINUX_INET_DIAG_BC_S_LE:
		return sport <= op_at(f, at + OP).no;
	case LINUX_INET_DIAG_BC_D_GE:
		return dport >= op_at(f, at + OP).no;
	case LINUX_INET_DIAG_BC_D_LE:
		return dport <= op_at(f, at + OP).no;
	case LINUX_INET_DIAG_BC_S_EQ:
		return sport == op_at(f, at + OP).no;
	case LINUX_INET_DIAG_BC_D_EQ:
		return dport == op_at(f, at + OP).no;
	case LINUX_INET_DIAG_BC_AUTO:
		return false; /* whether the port was chosen for it is not kept: as if the program had */
	case LINUX_INET_DIAG_BC_S_COND:
		return host_holds(f, at, m, m->id.src, sport);
	case LINUX_INET_DIAG_BC_D_COND:
		return host_holds(f, at, m, m->id.dst, dport);
	case LINUX_INET_DIAG_BC_DEV_COND:
		memcpy(&index, f->p + at + OP, sizeof(index));
		return index == m->id.interface;
	default:
		return true;
	}
}

bool diag_filter_wants(const struct diag_filter *f, const struct linux_inet_diag_msg *m)
{
	size_t at = 0;

	while (f->p && at < f->n) {
		struct linux_inet_diag_op o = op_at(f, at);

		at += holds(f, at, m) ? o.yes : o.no;
	}
	return !f->p || at == f->n;
}
