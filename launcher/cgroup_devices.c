/*
 * cgroup_devices.c - linux.resources of block devices, huge pages, RDMA and the
 * network into a cgroup's files.  See cgroup.h.
 *
 * Most hosts lack one of these controllers.  The sandbox's processes map no huge page,
 * open no RDMA device and no socket of the host's: such a limit is kept without
 * one, and a warning says that nobody else watches over it.
 */
#include "cgroup.h"

#include "libipc/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void warn(const char *what)
{
	log_warning("linux.resources.%s: is not applied: the host has no such cgroup controller", what);
}

static const char *number(struct pool *p, uint64_t v)
{
	return v > INT64_MAX ? "max" : pool_printf(p, "%llu", (unsigned long long)v);
}

/* The first of the files that is there; NULL: none. */
static const char *present(const char *dir, const char *const files[2], struct pool *p)
{
	for (size_t i = 0; dir && i < 2; i++) {
		if (files[i] && !access(pool_printf(p, "%s/%s", dir, files[i]), F_OK))
			return files[i];
	}
	return NULL;
}

/* --- block devices -------------------------------------------------------------------- */

static struct err *weight(const struct cgroup *g, const char *dir, const struct oci_blkio *b, struct pool *p)
{
	static const char *const files[2][2] = { { "blkio.weight", "blkio.bfq.weight" }, { "io.bfq.weight", "io.weight" } };
	const char *file = present(dir, files[cgroup_is_v2(g)], p);
	uint64_t v = file && !strcmp(file, "io.weight") ? cgroup_io_weight(b->weight) : b->weight;

	if (file)
		return cgroup_put(dir, file, number(p, v), "blockIO.weight");
	/* only with a scheduler that shares by weight */
	warn("blockIO.weight");
	return NULL;
}

static struct err *leaf_weight(const struct cgroup *g, const char *dir, const struct oci_blkio *b, struct pool *p)
{
	static const char *const files[2] = { "blkio.leaf_weight" };

	if (!cgroup_is_v2(g) && present(dir, files, p))
		return cgroup_put(dir, files[0], number(p, b->leaf_weight), "blockIO.leafWeight");
	warn("blockIO.leafWeight");
	return NULL;
}

static struct err *device_weights(const struct cgroup *g, const char *dir, const struct oci_blkio_devices *l, struct pool *p)
{
	static const char *const files[2][2] = { { "blkio.weight_device", "blkio.bfq.weight_device" }, { "io.bfq.weight" } };
	static const char *const leaf_files[2] = { "blkio.leaf_weight_device" };
	const char *file = present(dir, files[cgroup_is_v2(g)], p), *leaf = cgroup_is_v2(g) ? NULL : present(dir, leaf_files, p);
	struct err *e = NULL;

	if (!file)
		warn("blockIO.weightDevice");
	for (size_t i = 0; file && i < l->n && !e; i++) {
		const struct oci_blkio_device *d = &l->v[i];
		const char *device = pool_printf(p, "%lld:%lld", (long long)d->major, (long long)d->minor);

		if (d->weight)
			e = cgroup_put(dir, file, pool_printf(p, "%s %s", device, number(p, d->weight)), "blockIO.weightDevice");
		if (!e && d->leaf_weight && leaf)
			e = cgroup_put(dir, leaf, pool_printf(p, "%s %s", device, number(p, d->leaf_weight)), "blockIO.weightDevice");
	}
	return e;
}

struct throttle {
	const struct oci_blkio_devices *list;
	const char *what, *v1, *v2; /* v2: the key in io.max */
};

static struct err *throttle(const struct cgroup *g, const char *dir, const struct throttle *t, struct pool *p)
{
	const char *const files[2] = { cgroup_is_v2(g) ? "io.max" : t->v1 };
	const char *file = present(dir, files, p), *key = cgroup_is_v2(g) ? t->v2 : "";
	struct err *e = NULL;

	if (!file)
		warn(t->what);
	for (size_t i = 0; file && i < t->list->n && !e; i++) {
		const struct oci_blkio_device *d = &t->list->v[i];

		e = cgroup_put(dir, file, pool_printf(p, "%lld:%lld %s%s", (long long)d->major, (long long)d->minor, key, number(p, d->rate)), t->what);
	}
	return e;
}

static struct err *limit_blkio(const struct cgroup *g, const struct oci_blkio *b, struct pool *p)
{
	const struct throttle all[] = {
		{ &b->read_bps, "blockIO.throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps=" },
		{ &b->write_bps, "blockIO.throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps=" },
		{ &b->read_iops, "blockIO.throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops=" },
		{ &b->write_iops, "blockIO.throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops=" },
	};
	const char *dir = cgroup_dir(g, "blkio");
	struct err *e = b->weight ? weight(g, dir, b, p) : NULL;

	if (!e && b->leaf_weight)
		e = leaf_weight(g, dir, b, p);
	if (!e && b->weights.n)
		e = device_weights(g, dir, &b->weights, p);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !e; i++) {
		if (all[i].list->n)
			e = throttle(g, dir, &all[i], p);
	}
	return e;
}

/* --- huge pages, RDMA, the network ------------------------------------------------------ */

static struct err *limit_hugepages(const struct cgroup *g, const struct oci_resources *r, struct pool *p)
{
	const char *dir = cgroup_dir(g, "hugetlb"), *end = cgroup_is_v2(g) ? "max" : "limit_in_bytes";
	struct err *e = NULL;

	for (size_t i = 0; i < r->hugepages.n && !e; i++) {
		const struct oci_hugepages *h = &r->hugepages.v[i];
		const char *const file[2] = { pool_printf(p, "hugetlb.%s.%s", h->page_size, end) };
		const char *const reserved[2] = { pool_printf(p, "hugetlb.%s.rsvd.%s", h->page_size, end) };

		if (strchr(h->page_size, '/'))
			return err_new(0, "linux.resources.hugepageLimits: '%s' is not a size", h->page_size);
		if (!present(dir, file, p))
			warn("hugepageLimits");
		else if (!(e = cgroup_put(dir, file[0], number(p, h->limit), "hugepageLimits")) && present(dir, reserved, p))
			e = cgroup_put(dir, reserved[0], number(p, h->limit), "hugepageLimits");
	}
	return e;
}

static const char *rdma_value(const json_t *entry, const char *member, struct pool *p)
{
	const json_t *v = json_object_get(entry, member);

	return json_is_integer(v) ? pool_printf(p, "%lld", (long long)json_integer_value(v)) : "max";
}

static struct err *limit_rdma(const struct cgroup *g, const json_t *rdma, struct pool *p)
{
	static const char *const files[2] = { "rdma.max" };
	const char *dir = cgroup_dir(g, "rdma"), *file = present(dir, files, p), *device;
	json_t *all = json_deep_copy(rdma), *entry;
	struct err *e = NULL;

	if (!file && json_object_size(rdma))
		warn("rdma");
	json_object_foreach (all, device, entry) {
		if (file && !e)
			e = cgroup_put(dir, file, pool_printf(p, "%s hca_handle=%s hca_object=%s", device, rdma_value(entry, "hcaHandles", p), rdma_value(entry, "hcaObjects", p)), "rdma");
	}
	json_decref(all);
	return e;
}

/* v2 has neither: runc passes over them there too. */
static struct err *limit_net(const struct cgroup *g, const struct oci_net *n, struct pool *p)
{
	const char *class = cgroup_is_v2(g) ? NULL : cgroup_dir(g, "net_cls"), *prio = cgroup_is_v2(g) ? NULL : cgroup_dir(g, "net_prio");
	struct err *e = NULL;

	if (n->class_id && class)
		e = cgroup_put(class, "net_cls.classid", number(p, n->class_id), "network.classID");
	else if (n->class_id)
		warn("network.classID");
	if (n->priorities.n && !prio)
		warn("network.priorities");
	for (size_t i = 0; prio && i < n->priorities.n && !e; i++)
		e = cgroup_put(prio, "net_prio.ifpriomap", pool_printf(p, "%s %s", n->priorities.v[i].name, number(p, n->priorities.v[i].priority)), "network.priorities");
	return e;
}

struct err *cgroup_limit_devices(const struct cgroup *g, const struct oci_resources *r, struct pool *p)
{
	struct err *e = r->blkio ? limit_blkio(g, r->blkio, p) : NULL;

	if (!e && r->hugepages.n)
		e = limit_hugepages(g, r, p);
	if (!e && r->rdma)
		e = limit_rdma(g, r->rdma, p);
	if (!e && r->net)
		e = limit_net(g, r->net, p);
	return e;
}
