/*
 * driver.c - runs a fuzz target without libFuzzer: every file of the corpus,
 * then N mutations of each, the same ones every time.
 *
 *   TARGET [-n MUTATIONS] FILE-OR-DIRECTORY...
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SIZE_MAX_INPUT 70000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long mutations, runs;
static uint64_t state = 1;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* One to four small changes: a byte, a cut, a run repeated, an edge value. */
static size_t mutate(uint8_t *p, size_t n)
{
	static const uint8_t edges[] = { 0, 0x7f, 0x80, 0x90, 0x9f, 0xc0, 0xc4, 0xc6, 0xcc, 0xcf, 0xd0, 0xd3, 0xdc, 0xdd, 0xe0, 0xff };
	for (uint64_t k = next() % 4 + 1; k && n; k--) {
		size_t at = next() % n;
		switch (next() % 5) {
		case 0:
			p[at] = (uint8_t)next();
			break;
		case 1:
			p[at] = edges[next() % sizeof edges];
			break;
		case 2:
			n = at;
			break;
		case 3:
			p[at] ^= (uint8_t)(1u << next() % 8);
			break;
		default:
			if (n < SIZE_MAX_INPUT / 2) {
				memmove(p + at + (n - at) / 2, p + at, n - at);
				n += (n - at) / 2;
			}
			break;
		}
	}
	return n;
}

static void run_bytes(const uint8_t *p, size_t n)
{
	/* memory of exactly that size: the sanitizer sees a byte too far */
	uint8_t *copy = malloc(n + !n);
	memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
	runs++;
}

static void run_file(const char *path)
{
	static uint8_t data[SIZE_MAX_INPUT], changed[SIZE_MAX_INPUT];
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		exit(2);
	}
	size_t n = fread(data, 1, sizeof data, f);
	fclose(f);
	run_bytes(data, n);
	for (unsigned long i = 0; i < mutations; i++) {
		memcpy(changed, data, n);
		run_bytes(changed, mutate(changed, n));
	}
}

static void run_path(const char *path)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		struct dirent **list;
		int n = scandir(path, &list, NULL, alphasort);
		for (int i = 0; i < n; i++) {
			char *sub;
			if (list[i]->d_name[0] != '.' && asprintf(&sub, "%s/%s", path, list[i]->d_name) > 0) {
				run_path(sub);
				free(sub);
			}
			free(list[i]);
		}
		free(list);
		return;
	}
	run_file(path);
}

int main(int argc, char **argv)
{
	int i = 1;
	if (argc > 2 && strcmp(argv[1], "-n") == 0) {
		mutations = strtoul(argv[2], NULL, 10);
		i = 3;
	}
	for (; i < argc; i++)
		run_path(argv[i]);
	printf("%s: %lu inputs\n", argv[0], runs);
	return runs ? 0 : 2;
}
