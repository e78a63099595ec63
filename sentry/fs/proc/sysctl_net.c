/*
 * sysctl_net.c - /proc/sys/net: settings of the reader's or writer's network namespace; a container's
 * specification sets those of the container's.
 */
#include "fs/proc/sysctl.h"

#include "kernel/ns.h"
#include "lib/numbers.h"
#include "net/socket.h"
#include "net/stack.h"

#include <errno.h>

/* The network namespace of who reads, or the containers'; borrowed. */
static struct net_stack *proc_reader_net(struct kernel *k)
{
	struct task *t = task_current();

	return t && t->ns ? t->ns->net : k->net;
}

struct user_ns *proc_net_owner(struct kernel *k)
{
	return net_stack_owner(proc_reader_net(k));
}

#undef RO
#undef RW
#define RO(n, f) { .name = n, .kind = P_FILE, .mode = 0444, .show = f, .flags = PE_NET }
#define RW(n, f, s) { .name = n, .kind = P_FILE, .mode = 0644, .show = f, .store = s, .flags = PE_NET }

TEXT(show_zero, "0")
TEXT(show_one, "1")
TEXT(show_rmem, "212992")
TEXT(show_congestion, "cubic")
TEXT(show_congestions, "reno cubic")
TEXT(show_keepalive_time, "7200")
TEXT(show_keepalive_intvl, "75")
TEXT(show_keepalive_probes, "9")
TEXT(show_ttl, "64")
TEXT(show_tcp_mem, "4096\t131072\t6291456")

static SHOW(show_port_range)
{
	uint32_t range = atomic_load(&proc_reader_net(c->k)->port_range);

	pprintf(b, "%u\t%u\n", range & 0xffff, range >> 16);
	return 0;
}

static ssize_t store_port_range(struct pctx *c, char *text, size_t n)
{
	uint32_t range = atomic_load(&proc_reader_net(c->k)->port_range);
	uint64_t v[2] = { range & 0xffff, range >> 16 };
	int r = parse_numbers(text, v, 2);

	if (r < 0 || v[0] < 1 || v[1] > 65535 || v[1] < v[0] || v[0] < atomic_load(&proc_reader_net(c->k)->port_unprivileged))
		return -EINVAL;
	atomic_store(&proc_reader_net(c->k)->port_range, (uint32_t)(v[0] | v[1] << 16));
	return (ssize_t)n;
}

static SHOW(show_unprivileged_port)
{
	pprintf(b, "%u\n", atomic_load(&proc_reader_net(c->k)->port_unprivileged));
	return 0;
}

static ssize_t store_unprivileged_port(struct pctx *c, char *text, size_t n)
{
	uint64_t v = atomic_load(&proc_reader_net(c->k)->port_unprivileged);

	if (parse_numbers(text, &v, 1) < 0 || v > (atomic_load(&proc_reader_net(c->k)->port_range) & 0xffff))
		return -EINVAL;
	atomic_store(&proc_reader_net(c->k)->port_unprivileged, (uint32_t)v);
	return (ssize_t)n;
}

/* Groups: what the sandbox's kernel knows them by. */
static SHOW(show_ping_groups)
{
	uint64_t groups = atomic_load(&proc_reader_net(c->k)->ping_groups);

	pprintf(b, "%u\t%u\n", (uint32_t)groups, (uint32_t)(groups >> 32));
	return 0;
}

static ssize_t store_ping_groups(struct pctx *c, char *text, size_t n)
{
	uint64_t groups = atomic_load(&proc_reader_net(c->k)->ping_groups), v[2] = { (uint32_t)groups, groups >> 32 };

	if (parse_numbers(text, v, 2) < 0 || v[0] > INT32_MAX || v[1] > INT32_MAX)
		return -EINVAL;
	if (v[1] < v[0]) /* Linux's way to say: nobody */
		v[0] = 1, v[1] = 0;
	atomic_store(&proc_reader_net(c->k)->ping_groups, v[0] | v[1] << 32);
	return (ssize_t)n;
}

static SHOW(show_somaxconn)
{
	pprintf(b, "%u\n", atomic_load(&proc_reader_net(c->k)->backlog_max));
	return 0;
}

static ssize_t store_somaxconn(struct pctx *c, char *text, size_t n)
{
	uint64_t v = atomic_load(&proc_reader_net(c->k)->backlog_max);

	if (parse_numbers(text, &v, 1) < 0 || v > INT32_MAX)
		return -EINVAL;
	atomic_store(&proc_reader_net(c->k)->backlog_max, (uint32_t)v);
	return (ssize_t)n;
}

/* --- forwarding: whether what is for others goes on (net/route.c) ------------------------------ */

static ssize_t store_switch(_Atomic bool *what, const char *text, size_t n)
{
	uint64_t v = *what;

	if (parse_numbers(text, &v, 1) < 0)
		return -EINVAL;
	*what = v != 0;
	return (ssize_t)n;
}

static SHOW(show_forward4)
{
	pprintf(b, "%d\n", proc_reader_net(c->k)->forward4);
	return 0;
}

static ssize_t store_forward4(struct pctx *c, char *text, size_t n)
{
	return store_switch(&proc_reader_net(c->k)->forward4, text, n);
}

static SHOW(show_forward6)
{
	pprintf(b, "%d\n", proc_reader_net(c->k)->forward6);
	return 0;
}

static ssize_t store_forward6(struct pctx *c, char *text, size_t n)
{
	return store_switch(&proc_reader_net(c->k)->forward6, text, n);
}

static const struct pentry core_table[] = {
	RO("rmem_default", show_rmem), RO("rmem_max", show_rmem), RW("somaxconn", show_somaxconn, store_somaxconn), RO("wmem_default", show_rmem), RO("wmem_max", show_rmem), END_,
};
static const struct pentry all4_table[] = { RW("forwarding", show_forward4, store_forward4), RO("rp_filter", show_zero), END_ };
static const struct pentry conf4_table[] = { DIR_("all", all4_table), END_ };
static const struct pentry ipv4_table[] = {
	DIR_("conf", conf4_table), RO("ip_default_ttl", show_ttl), RW("ip_forward", show_forward4, store_forward4), RW("ip_local_port_range", show_port_range, store_port_range),
	RW("ip_unprivileged_port_start", show_unprivileged_port, store_unprivileged_port),
	RW("ping_group_range", show_ping_groups, store_ping_groups), RO("tcp_allowed_congestion_control", show_congestions),
	RO("tcp_available_congestion_control", show_congestions), RO("tcp_congestion_control", show_congestion),
	RO("tcp_keepalive_intvl", show_keepalive_intvl), RO("tcp_keepalive_probes", show_keepalive_probes), RO("tcp_keepalive_time", show_keepalive_time),
	RO("tcp_rmem", show_tcp_mem), RO("tcp_sack", show_one), RO("tcp_timestamps", show_one), RO("tcp_window_scaling", show_one),
	 RO("tcp_wmem", show_tcp_mem), END_,
};
static const struct pentry all6_table[] = { RO("disable_ipv6", show_zero), RW("forwarding", show_forward6, store_forward6), END_ };
static const struct pentry conf6_table[] = { DIR_("all", all6_table), END_ };
static const struct pentry ipv6_table[] = { RO("bindv6only", show_zero), DIR_("conf", conf6_table), END_ };
const struct pentry proc_sys_net_table[] = { DIR_("core", core_table), DIR_("ipv4", ipv4_table), DIR_("ipv6", ipv6_table), END_ };
