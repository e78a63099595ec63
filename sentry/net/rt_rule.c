/*
 * rt_rule.c - rtnetlink: the rules that say which tables of routes are asked, and in what order: those that every
 * network namespace begins with, and no others can be made.  No locks.
 */
#include "net/rtnetlink.h"

#include "abi/socket.h"

#include <errno.h>

static const struct {
	uint8_t family, table;
	uint16_t priority;
} rules[] = {
	{ LINUX_AF_INET, LINUX_RT_TABLE_LOCAL, 0 },
	{ LINUX_AF_INET, LINUX_RT_TABLE_MAIN, 32766 },
	{ LINUX_AF_INET, LINUX_RT_TABLE_DEFAULT, 32767 },
	{ LINUX_AF_INET6, LINUX_RT_TABLE_LOCAL, 0 },
	{ LINUX_AF_INET6, LINUX_RT_TABLE_MAIN, 32766 },
};

int rt_get_rule(struct rt_request *q)
{
	const uint8_t family = *(const uint8_t *)(q->h + 1);

	if (!q->dump)
		return -EOPNOTSUPP;
	if (family && family != LINUX_AF_INET && family != LINUX_AF_INET6)
		return -EAFNOSUPPORT;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct linux_fib_rule_hdr h = { .family = rules[i].family, .table = rules[i].table, .action = LINUX_FR_ACT_TO_TBL };

		if (family && family != h.family)
			continue;
		nl_begin(q->answer, LINUX_RTM_NEWRULE, &h, sizeof(h));
		nl_attr32(q->answer, LINUX_FRA_TABLE, h.table);
		nl_attr32(q->answer, LINUX_FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
		nl_attr8(q->answer, LINUX_FRA_PROTOCOL, LINUX_RTPROT_KERNEL);
		if (rules[i].priority)
			nl_attr32(q->answer, LINUX_FRA_PRIORITY, rules[i].priority);
		nl_end(q->answer);
	}
	return 0;
}
