/* sysfs: what programs look up there about the machine. */
#include "fs.h"

#include <dirent.h>
#include <ctype.h>

static int numbered(const char *dir, const char *prefix)
{
	DIR *d = opendir(dir);
	int n = 0;

	CHECK(d);
	for (const struct dirent *e; (e = readdir(d));)
		n += !strncmp(e->d_name, prefix, strlen(prefix)) && isdigit((unsigned char)e->d_name[strlen(prefix)]);
	closedir(d);
	return n;
}

static void line(const char *path, char out[static 64])
{
	FILE *f = fopen(path, "r");

	CHECK(f && fgets(out, 64, f));
	fclose(f);
}

CASE(processors)
{
	char range[64], expected[64];
	long n = sysconf(_SC_NPROCESSORS_CONF);

	CHECK(numbered("/sys/devices/system/cpu", "cpu") == n);
	snprintf(expected, sizeof(expected), n > 1 ? "0-%ld\n" : "0\n", n - 1);
	line("/sys/devices/system/cpu/present", range);
	CHECK(!strcmp(range, expected));
	line("/sys/devices/system/cpu/cpu0/topology/core_id", range);
	CHECK(isdigit((unsigned char)range[0]));
}

/* What lscpu and libnuma count processors by: masks in hexadecimal. */
CASE(masks)
{
	long n = sysconf(_SC_NPROCESSORS_CONF), cpu;
	char mask[64], package[64];
	unsigned long bits;

	line("/sys/devices/system/node/node0/cpumap", mask);
	CHECK(isxdigit((unsigned char)mask[0]) && strchr(mask, '\n'));
	line("/sys/devices/system/cpu/cpu0/topology/package_cpus", package);
	for (cpu = 0; cpu < n && cpu < 32; cpu++) {
		char path[80];

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%ld/topology/core_cpus", cpu);
		line(path, mask);
		CHECK(strlen(mask) == strlen(package)); /* all are of one width */
		bits = strtoul(strrchr(mask, ',') ? strrchr(mask, ',') + 1 : mask, NULL, 16);
		CHECK(bits >> cpu & 1);
	}
}

CASE(loopback)
{
	char text[64];

	CHECK(numbered("/sys/class/net", "lo") == 0); /* it can be listed */
	line("/sys/class/net/lo/mtu", text);
	CHECK(!strcmp(text, "65536\n"));
	CHECK(access("/sys/class/net/lo/none", F_OK) == -1 && errno == ENOENT);
}

CASE(directories)
{
	static const char *const names[] = { "block", "bus", "class", "dev", "devices", "firmware", "fs", "kernel", "module", "power" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64];
		struct stat st;

		snprintf(path, sizeof(path), "/sys/%s", names[i]);
		CHECK(stat(path, &st) == 0 && S_ISDIR(st.st_mode));
	}
}

/* Libraries that compute choose their blocks by these (lscpu -C). */
CASE(caches)
{
	long sets, ways, size, bytes;
	char path[96], text[64];
	int n = access("/sys/devices/system/cpu/cpu0/cache", F_OK) ? 0 : numbered("/sys/devices/system/cpu/cpu0/cache", "index");

	for (int i = 0; i < n; i++) {
		const char *names[] = { "number_of_sets", "ways_of_associativity", "coherency_line_size", "size" };
		long *to[] = { &sets, &ways, &bytes, &size };

		for (int k = 0; k < 4; k++) {
			snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%d/%s", i, names[k]);
			line(path, text);
			*to[k] = atol(text);
		}
		CHECK(strchr(text, 'K') && size * 1024 == sets * ways * bytes);
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%d/shared_cpu_list", i);
		line(path, text);
		CHECK(text[0] == '0');
	}
}

int main(void) { return run_cases(); }
