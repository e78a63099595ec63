/*
 * window.c - programs that overwrite what a sandbox shows them of the files that they read, and
 * what they say of the position there.  On Linux there is nothing.  They deceive nobody but
 * themselves, read no more than they ask for, and leave nothing to the next program.
 */
#include "attack.h"

#include <fcntl.h>
#include <stddef.h>

#define WINDOW 960 /* in a slot: its address, from, length, whether it ends, and moves */
#define RINGS 0x7fffc0000000ul
#define RINGS_END 0x7fffc8000000ul
#define STRIDE 0x20000ul
#define SIZE 60000
#define CANARY 0x5a

static unsigned char b[3 * 65536], all[SIZE];
static uint64_t seed = 11;

static void store(uint64_t at, uint64_t value) { *(volatile uint64_t *)at = value; }
static void load(uint64_t at, uint64_t to) { *(uint64_t *)to = *(volatile uint64_t *)at; }

static void catch_faults(void)
{
	struct sigaction sa = { .sa_handler = on_segv, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

static uint64_t odd_value(void)
{
	static const uint64_t values[] = { 0, 1, 100, 0xffff, 0x10000, 0x7fffffff, 0xffffffff, 1ul << 63, 1ul << 63 | 0xffffffff,
		UINT64_MAX, 1ul << 63 | 0x10000, 1ul << 63 | 77, 0x100000100ul, RINGS, RINGS + 4096, TEXT, ORDERS };
	uint64_t r = random64(&seed);

	return r % 3 ? values[r / 3 % (sizeof(values) / sizeof(values[0]))] : r;
}

/* Writes into the words of each slot that is there: it is this process's. */
static void overwrite(void)
{
	static uint64_t slots[64];
	static int n = -1;

	if (n < 0) {
		n = 0;
		for (uint64_t at = SLOTS; at < SLOTS + 4096 * SLOT_SIZE && n < 64; at += SLOT_SIZE)
			if (tried(load, at, (uint64_t)(uintptr_t)&slots[n]))
				slots[n++] = at;
	}
	for (int i = 0; i < n; i++)
		if (random64(&seed) % 2)
			store(slots[i] + WINDOW + random64(&seed) % 4 * 8, odd_value());
}

static int make(void)
{
	char name[] = "/tmp/guest-window-XXXXXX";
	int f = mkstemp(name), g;

	CHECK(f >= 0 && write(f, all, SIZE) == SIZE && close(f) == 0);
	g = open(name, O_RDONLY);
	CHECK(g >= 0 && unlink(name) == 0);
	return g;
}

static void reads(uint64_t arg)
{
	int f = make();

	(void)arg;
	catch_faults();
	for (int i = 0; i < 200000; i++) {
		size_t n = random64(&seed) % 20000;
		ssize_t r;

		if (random64(&seed) % 8 == 0)
			lseek(f, 0, SEEK_SET);
		if (random64(&seed) % 2)
			overwrite();
		memset(b + 65536 - 64, CANARY, 64);
		memset(b + 65536 + n, CANARY, 64);
		r = random64(&seed) % 4 ? read(f, b + 65536, n) : pread(f, b + 65536, n, (off_t)(random64(&seed) % SIZE));
		if (r > (ssize_t)n)
			_exit(9);
		for (int k = 0; k < 64; k++)
			if (b[65536 - 64 + k] != CANARY || b[65536 + n + (size_t)k] != CANARY)
				_exit(9);
	}
}

/* Others read the same file, and get what is in it. */
CASE(own_words)
{
	int st = attack_for(700, reads, 0);

	CHECK(!WIFEXITED(st) || WEXITSTATUS(st) != 9);
	for (unsigned i = 0; i < SIZE; i++)
		all[i] = (unsigned char)(i * 7);
	for (int round = 0; round < 20; round++) {
		int f = make();
		size_t at = 0;
		ssize_t r;

		for (; (r = read(f, b, 1000)) > 0; at += (size_t)r)
			CHECK(!memcmp(b, all + at, (size_t)r));
		CHECK(r == 0 && at == SIZE);
		close(f);
	}
}

static int finds(const unsigned char *what, size_t n)
{
	static unsigned char page[4096];

	for (uint64_t at = RINGS; at < RINGS_END; at += at % STRIDE < 0x11000 ? 4096 : STRIDE - at % STRIDE) {
		size_t k;

		for (k = 0; k < sizeof(page); k += 8)
			if (!tried(load, at + k, (uint64_t)(uintptr_t)(page + k)))
				break;
		if (k == sizeof(page) && memmem(page, sizeof(page), what, n))
			return 1;
	}
	return 0;
}

#define SECRET 400

/* What a program has read, the one that it becomes does not find; SEED makes the same bytes there. */
static void make_secret(unsigned char s[SECRET])
{
	uint64_t x = 424242;

	for (int i = 0; i < SECRET; i++)
		s[i] = (unsigned char)random64(&x);
}

CASE(left_to_the_next_program)
{
	int st;
	pid_t p;

	make_secret(all);
	for (unsigned i = SECRET; i < SIZE; i++)
		all[i] = all[i % SECRET];
	p = fork();
	if (!p) {
		int f = make();

		for (int i = 0; i < 40; i++)
			CHECK(read(f, b, 1000) == 1000);
		execl("/proc/self/exe", "window", "look", NULL);
		_exit(9);
	}
	CHECK(p > 0 && waitpid(p, &st, 0) == p && WIFEXITED(st) && WEXITSTATUS(st) == 0);
}

int main(int argc, char **argv)
{
	unsigned char secret[SECRET];

	if (argc < 2 || strcmp(argv[1], "look"))
		return run_cases();
	catch_faults();
	make_secret(secret);
	return finds(secret, 64);
}
