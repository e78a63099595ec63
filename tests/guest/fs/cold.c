/* A tree that nobody has looked at yet is walked while it is being changed: what is
 * there is found as it is now, whatever was fetched in advance.
 *
 * "cold make" only makes the trees, below ./cold: outside, before a sandbox sees them. */
#include "../test.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>

#define DIRS 24
#define FILES 40
#define THREADS 4
#define WIDE 900 /* files of one directory, each with another name in another */

enum { PLAIN, GONE, REPLACED, CLOSED, GROWN, MADE };
static const char *const trees[] = { "still", "changed", "together", "left" };

/* --- making ---------------------------------------------------------------------------- */

static void put(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !close(fd));
}

static const char *name_of(const char *tree, int d, int f)
{
	static _Thread_local char path[4][256];
	static _Thread_local unsigned n;
	char *p = path[n++ % 4];

	snprintf(p, sizeof(path[0]), f < 0 ? "cold/%s/d%02d" : "cold/%s/d%02d/%sf%02d", tree, d, f % 8 == 7 ? "sub/" : "", f);
	return p;
}

static void make_tree(const char *tree)
{
	char path[256], link_name[256];

	snprintf(path, sizeof(path), "cold/%s", tree);
	CHECK(!mkdir(path, 0755));
	snprintf(path, sizeof(path), "cold/%s/links", tree);
	CHECK(!mkdir(path, 0755));
	for (int d = 0; d < DIRS; d++) {
		CHECK(!mkdir(name_of(tree, d, -1), 0755));
		snprintf(path, sizeof(path), "%s/sub", name_of(tree, d, -1));
		CHECK(!mkdir(path, 0755));
		for (int f = 0; f < FILES; f++)
			put(name_of(tree, d, f), name_of(tree, d, f), O_EXCL);
		snprintf(link_name, sizeof(link_name), "cold/%s/links/%d", tree, d);
		CHECK(!link(name_of(tree, d, GROWN), link_name));
	}
}

static void make_wide(void)
{
	char path[64], other[64];

	CHECK(!mkdir("cold/wide", 0755) && !mkdir("cold/other", 0755));
	for (int f = 0; f < WIDE; f++) {
		snprintf(path, sizeof(path), "cold/wide/%03d", f);
		snprintf(other, sizeof(other), "cold/other/%03d", f);
		put(path, path, O_EXCL);
		CHECK(!link(path, other));
	}
}

/* What is tried below is there already, and has not been looked at. */
static const char *const takens[] = { "dir", "link", "file", "linked", "node", "slash", "theirs", "their-dir", "their-link" };

static void make_taken(void)
{
	char path[64];

	CHECK(!mkdir("cold/taken", 0755));
	for (unsigned i = 0; i < sizeof(takens) / sizeof(*takens); i++) {
		snprintf(path, sizeof(path), "cold/taken/%s", takens[i]);
		put(path, path, O_EXCL);
	}
}

static void make(void)
{
	umask(0);
	CHECK(!mkdir("cold", 0755));
	make_taken();
	make_wide();
	for (unsigned i = 0; i < sizeof(trees) / sizeof(*trees); i++)
		make_tree(trees[i]);
}

/* --- walking ----------------------------------------------------------------------------- */

/* In files of these numbers the changed directories differ. */
static int kind_of(bool changed, int f) { return changed && f <= MADE ? f : PLAIN; }

static void look_at(const char *path, const char *own, int kind)
{
	char text[512] = "", want[512];
	struct stat st, open_st;
	int fd;

	snprintf(want, sizeof(want), "%s%s", kind == REPLACED ? "another" : own, kind == GROWN ? " and more" : "");
	CHECK(!lstat(path, &st) && S_ISREG(st.st_mode) && st.st_size == (off_t)strlen(want));
	CHECK((st.st_mode & 0777) == (kind == CLOSED ? 0600 : 0644));
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && !fstat(fd, &open_st) && open_st.st_ino == st.st_ino && open_st.st_size == st.st_size);
	CHECK(read(fd, text, sizeof(text)) == (ssize_t)strlen(want) && !strcmp(text, want));
	CHECK(!close(fd));
}

/* Returns how many files there were. */
static int walk_dir(const char *name, const char *tree, int d, bool changed)
{
	char path[256];
	struct dirent *e;
	int n = 0, f;
	DIR *dir;

	snprintf(path, sizeof(path), "%s", name); /* the name may be one of name_of's */
	CHECK((dir = opendir(path)));
	while ((e = readdir(dir))) {
		char below[512];

		snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		if (e->d_name[0] == '.')
			continue;
		if (e->d_type == DT_DIR) {
			n += walk_dir(below, tree, d, changed);
			continue;
		}
		f = !strcmp(e->d_name, "made") ? MADE : atoi(e->d_name + 1);
		CHECK(kind_of(changed, f) != GONE);
		look_at(below, f == MADE && changed ? "made" : name_of(tree, d, f), kind_of(changed, f));
		n++;
	}
	CHECK(!closedir(dir));
	return n;
}

/* One is removed, one replaced, one closed to others, one grows by its other name, one is
 * renamed, and the directory below too. */
static void change(const char *tree, int d)
{
	char path[256], other[256];

	CHECK(!unlink(name_of(tree, d, GONE)));
	snprintf(path, sizeof(path), "cold/%s/new", tree);
	put(path, "another", O_EXCL);
	CHECK(!rename(path, name_of(tree, d, REPLACED)));
	CHECK(!chmod(name_of(tree, d, CLOSED), 0600));
	snprintf(path, sizeof(path), "cold/%s/links/%d", tree, d);
	put(path, " and more", O_APPEND);
	CHECK(!unlink(name_of(tree, d, MADE)));
	snprintf(path, sizeof(path), "%s/made", name_of(tree, d, -1));
	put(path, "made", O_EXCL);
	snprintf(path, sizeof(path), "%s/sub", name_of(tree, d, -1));
	snprintf(other, sizeof(other), "%s/sub2", name_of(tree, d, -1));
	CHECK(!rename(path, other));
}

/* In the order of the listing. ahead: each directory but the first is changed when the one that many before it was walked. */
static void walk_tree(const char *tree, int ahead)
{
	char path[256];
	int order[DIRS], n = 0;
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "cold/%s", tree);
	CHECK((dir = opendir(path)));
	while ((e = readdir(dir)))
		if (e->d_name[0] == 'd' && e->d_type == DT_DIR)
			order[n++] = atoi(e->d_name + 1);
	CHECK(n == DIRS && !closedir(dir));
	for (int i = 0; i < n; i++) {
		bool changed = ahead && i >= ahead;

		CHECK(walk_dir(name_of(tree, order[i], -1), tree, order[i], changed) == FILES - changed);
		if (ahead && i + ahead < n)
			change(tree, order[i + ahead]);
	}
}

CASE(still) { walk_tree("still", 0); }

CASE(changed_while_walked) { walk_tree("changed", 2); }

static void *walker(void *arg)
{
	walk_tree("together", 0);
	return arg;
}

CASE(walked_by_many)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&t[i], NULL, walker, NULL));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
}

/* A walk that ends in the middle, a change of what it would have come to, and a plain look at that. */
CASE(left_in_the_middle)
{
	for (int d = 0; d < DIRS / 2; d++)
		CHECK(walk_dir(name_of("left", d, -1), "left", d, false) == FILES);
	for (int d = DIRS / 2; d < DIRS; d++)
		change("left", d);
	for (int d = DIRS - 1; d >= DIRS / 2; d--)
		CHECK(walk_dir(name_of("left", d, -1), "left", d, true) == FILES - 1);
}

/* The files that come soon are changed by names of another directory, which are known, so
 * that changing them asks for no name. */
CASE(changed_by_other_names)
{
	int kind[WIDE] = { 0 }, order[WIDE], n = 0;
	char path[64], own[64];
	struct dirent *e;
	struct stat st;
	DIR *dir = opendir("cold/wide");

	CHECK(dir);
	for (int f = 0; f < WIDE; f++) {
		snprintf(path, sizeof(path), "cold/other/%03d", f);
		CHECK(!stat(path, &st));
	}
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			order[n++] = atoi(e->d_name);
	CHECK(n == WIDE && !closedir(dir));
	for (int i = 0; i < n; i++) {
		int soon = i + 1 + i * 7 % 90, f = order[i];

		snprintf(path, sizeof(path), "cold/wide/%03d", f);
		snprintf(own, sizeof(own), "cold/wide/%03d", f);
		look_at(path, own, kind[f]);
		if (soon >= n || kind[f = order[soon]])
			continue;
		snprintf(path, sizeof(path), "cold/other/%03d", f);
		kind[f] = i % 2 ? GROWN : CLOSED;
		if (kind[f] == GROWN)
			put(path, " and more", O_APPEND);
		else
			CHECK(!chmod(path, 0600));
	}
}

static void is_still(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);
	struct stat st;

	CHECK(!lstat(path, &st) && S_ISREG(st.st_mode) && st.st_size == (off_t)strlen(path));
	CHECK(fd >= 0 && read(fd, text, sizeof(text)) == (ssize_t)strlen(path) && !strcmp(text, path) && !close(fd));
}

/* A name that is taken stays what it is, and is found afterwards; what is refused first is refused as such. */
CASE(what_is_there_is_not_made)
{
	char path[64];
	int fd;

	CHECK_ERR(mkdir("cold/taken/dir", 0755), EEXIST);
	CHECK_ERR(symlink("nowhere", "cold/taken/link"), EEXIST);
	CHECK_ERR(open("cold/taken/file", O_WRONLY | O_CREAT | O_EXCL | O_TRUNC, 0644), EEXIST);
	CHECK_ERR(link("cold/taken/dir", "cold/taken/linked"), EEXIST);
	CHECK_ERR(mknod("cold/taken/node", S_IFIFO | 0644, 0), EEXIST);
	CHECK_ERR(mkdir("cold/taken/slash/", 0755), EEXIST);
	for (unsigned i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "cold/taken/%s", takens[i]);
		is_still(path);
	}
	CHECK_ERR(open("cold/taken/dir", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST); /* and once it is known */
	CHECK(!unlink("cold/taken/dir") && !mkdir("cold/taken/dir", 0755) && !rmdir("cold/taken/dir"));
	CHECK_ERR(mkdir("cold/taken/file/below", 0755), ENOTDIR);
	CHECK_ERR(mkdir("cold/nowhere/below", 0755), ENOENT);
	CHECK_ERR(symlink("x", "cold/taken/new/"), ENOENT);
	fd = open("cold/taken/new", O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0 && !close(fd) && !unlink("cold/taken/new"));
	CHECK_ERR(unlink("cold/taken/new"), ENOENT);

	CHECK(!setgid(1000) && !setuid(1000));
	CHECK_ERR(open("cold/taken/theirs", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK_ERR(mkdir("cold/taken/their-dir", 0755), EEXIST);
	CHECK_ERR(symlink("x", "cold/taken/their-link"), EEXIST);
	CHECK_ERR(open("cold/taken/new", O_WRONLY | O_CREAT | O_EXCL, 0644), EACCES);
	CHECK_ERR(mkdir("cold/taken/new", 0755), EACCES);
	CHECK_ERR(symlink("x", "cold/taken/new"), EACCES);
	is_still("cold/taken/theirs");
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/coldXXXXXX", remove[64];
	bool own = access("cold", F_OK) != 0;
	int r;

	if (argc > 1) {
		make();
		return 0;
	}
	if (own) {
		CHECK(mkdtemp(dir) && !chmod(dir, 0755) && !chdir(dir)); /* somebody else looks at it, too */
		make();
	}
	r = run_cases();
	if (own) {
		snprintf(remove, sizeof(remove), "rm -rf %s", dir);
		CHECK(!chdir("/") && !system(remove));
	}
	return r;
}
