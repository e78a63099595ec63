/* sha1.c - see sha1.h.  No state, no locks. */
#include "lib/sha1.h"

#include <endian.h>
#include <string.h>

#define BLOCK 64

static uint32_t rol(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

static void add_block(uint32_t h[5], const uint8_t *block)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f, k, next;

	for (unsigned i = 0; i < 80; i++) {
		if (i < 16) {
			memcpy(&w[i], block + 4 * i, 4);
			w[i] = be32toh(w[i]);
		} else {
			w[i] = rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
		}
		if (i < 20)
			f = (b & c) | (~b & d), k = 0x5a827999;
		else if (i < 40)
			f = b ^ c ^ d, k = 0x6ed9eba1;
		else if (i < 60)
			f = (b & c) | (b & d) | (c & d), k = 0x8f1bbcdc;
		else
			f = b ^ c ^ d, k = 0xca62c1d6;
		next = rol(a, 5) + f + e + k + w[i];
		e = d;
		d = c;
		c = rol(b, 30);
		b = a;
		a = next;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

void sha1(const void *data, size_t n, uint8_t digest[SHA1_SIZE])
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	const uint64_t bits = htobe64((uint64_t)n * 8);
	const uint8_t *p = data;
	uint8_t last[2 * BLOCK] = { 0 };
	const size_t rest = n % BLOCK, ends = rest + 9 <= BLOCK ? BLOCK : 2 * BLOCK;

	for (size_t at = 0; at + BLOCK <= n; at += BLOCK)
		add_block(h, p + at);
	memcpy(last, p + (n - rest), rest);
	last[rest] = 0x80;
	memcpy(last + ends - sizeof(bits), &bits, sizeof(bits));
	for (size_t at = 0; at < ends; at += BLOCK)
		add_block(h, last + at);
	for (unsigned i = 0; i < 5; i++) {
		h[i] = htobe32(h[i]);
		memcpy(digest + 4 * i, &h[i], 4);
	}
}
