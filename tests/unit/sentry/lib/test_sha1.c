/*
 * SHA-1: what sha1sum(1) says of texts that end in each place of a block.
 *
 * links: sentry/lib/sha1.c
 */
#include "lib/sha1.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const struct {
	size_t n; /* times 'a' */
	const char *digest;
} known[] = {
	{ 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ 3, "7e240de74fb1ed08fa08d38063f6a6a91462a815" },
	{ 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
	{ 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
	{ 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5" },
	{ 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
	{ 65, "11655326c708d70319be2610e8a57d9a5b959d3b" },
	{ 119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56" },
	{ 200, "e61cfffe0d9195a525fc6cf06ca2d77119c24a40" },
};

START_TEST(digests)
{
	char text[200], shown[2 * SHA1_SIZE + 1];
	uint8_t digest[SHA1_SIZE];

	memset(text, 'a', sizeof(text));
	sha1(text, known[_i].n, digest);
	for (int i = 0; i < SHA1_SIZE; i++)
		sprintf(shown + 2 * i, "%02x", digest[i]);
	ck_assert_str_eq(shown, known[_i].digest);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sha1");
	TCase *t = tcase_create("sha1");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, digests, 0, sizeof(known) / sizeof(known[0]));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
