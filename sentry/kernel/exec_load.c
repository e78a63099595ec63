/*
 * exec_load.c - from a name to a loaded address space: walk, checks, "#!",
 * credentials, ELF.  Runs on the thread of the caller; the caller's task is not
 * touched.
 */
#include "kernel/exec.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "abi/mman.h"
#include "abi/resource.h"
#include "kernel/time_ns.h"
#include "mm/elf.h"

#include "vfs/idmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_SIZE 256 /* Linux's BINPRM_BUF_SIZE */
#define PERSONALITY_NO_RANDOMIZE 0x0040000
#define PERSONALITY_READ_IMPLIES_EXEC 0x0400000

/* --- lists of strings ------------------------------------------------------------ */

static int grow(struct str_list *l)
{
	size_t room = l->room ? l->room * 2 : 16;
	char **s;

	if (l->n < l->room)
		return 0;
	s = reallocarray(l->s, room, sizeof(*s));
	if (!s)
		return -ENOMEM;
	l->s = s;
	l->room = room;
	return 0;
}

int str_list_add(struct str_list *l, const char *s)
{
	char *copy = strdup(s);

	if (!copy || grow(l)) {
		free(copy);
		return -ENOMEM;
	}
	l->s[l->n++] = copy;
	l->bytes += strlen(copy) + 1;
	return 0;
}

static int str_list_push_front(struct str_list *l, const char *s)
{
	int r = str_list_add(l, s);
	char *last;

	if (r)
		return r;
	last = l->s[l->n - 1];
	memmove(l->s + 1, l->s, (l->n - 1) * sizeof(*l->s));
	l->s[0] = last;
	return 0;
}

void str_list_free(struct str_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->s[i]);
	free(l->s);
	*l = (struct str_list){ 0 };
}

/* --- opening ------------------------------------------------------------------------ */

static int open_program(struct exec_request *q, const struct path *base, unsigned flags, const char *name, struct file **out)
{
	struct walk w = { .fs = q->fs, .cred = q->cred, .base = base, .flags = flags };
	struct path p = { 0 };
	int r = vfs_walk(&w, name, &p);

	if (r)
		return r;
	if (LINUX_S_ISLNK(p.dentry->inode->mode))
		r = -ELOOP; /* AT_SYMLINK_NOFOLLOW */
	else if (!LINUX_S_ISREG(p.dentry->inode->mode))
		r = -EACCES;
	else
		r = vfs_permission(&p, 1, q->cred);
	if (!r)
		r = vfs_open_path(&p, LINUX_O_RDONLY, q->cred, out);
	path_put(&p);
	return r;
}

static ssize_t elf_pread(void *priv, void *buf, size_t n, int64_t off)
{
	return file_read_kernel(priv, buf, n, off);
}

/* What the segments of f map: a reference in *obj to be put. */
static int file_object(struct file *f, struct memobj **obj)
{
	if (f->ops->mmap)
		return f->ops->mmap(f, LINUX_PROT_READ | LINUX_PROT_EXEC, false, obj);
	*obj = f->inode ? f->inode->obj : NULL;
	if (!*obj)
		return -ENODEV;
	memobj_get(*obj);
	return 0;
}

static int elf_file_fill(struct elf_file *e, struct file *f)
{
	*e = (struct elf_file){ .priv = f, .pread = elf_pread, .file = f };
	return file_object(f, &e->obj) ? -ENOEXEC : 0;
}

static int open_interp(void *arg, const char *path, struct elf_file *out)
{
	struct file *f;
	int r = open_program(arg, NULL, WALK_FOLLOW, path, &f);

	if (r)
		return r;
	r = elf_file_fill(out, f);
	if (r)
		file_put(f);
	return r;
}

static void close_interp(void *arg, struct elf_file *e)
{
	memobj_put(e->obj);
	file_put(e->priv);
}

/* --- scripts --------------------------------------------------------------------------- */

static char *skip_blank(char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* Parses "#!interpreter argument" in place. -ENOEXEC */
static int parse_script(char *head, size_t n, char **interp, char **arg)
{
	char *end = memchr(head, '\n', n), *p;

	if (!end) {
		/* cut off: only good if the interpreter's name is whole */
		p = skip_blank(head + 2);
		if (n == HEAD_SIZE && !strpbrk(p, " \t"))
			return -ENOEXEC;
		end = head + strlen(head);
	}
	*end = '\0';
	while (end > head + 2 && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	*interp = skip_blank(head + 2);
	if (!**interp)
		return -ENOEXEC;
	p = strpbrk(*interp, " \t");
	*arg = NULL;
	if (p) {
		*p++ = '\0';
		p = skip_blank(p);
		*arg = *p ? p : NULL;
	}
	return 0;
}

/* argv becomes: interpreter, argument if any, the script's name, argv[1]... */
static int script_args(struct exec_request *q, const char *interp, const char *arg, const char *script)
{
	int r = 0;

	if (q->argv.n) {
		q->argv.bytes -= strlen(q->argv.s[0]) + 1;
		free(q->argv.s[0]);
		memmove(q->argv.s, q->argv.s + 1, --q->argv.n * sizeof(*q->argv.s));
	}
	r = str_list_push_front(&q->argv, script);
	if (!r && arg)
		r = str_list_push_front(&q->argv, arg);
	return r ? r : str_list_push_front(&q->argv, interp);
}

/* Opens the program itself, through scripts. *name: malloc'ed, what exec shows (AT_EXECFN). */
static int find_binary(struct exec_request *q, struct file **out, char **name)
{
	char *head = malloc(HEAD_SIZE + 1);
	struct file *f = NULL;
	int r, depth = 0;

	*name = strdup(q->display ? q->display : q->filename);
	r = head && *name ? open_program(q, q->base, q->walk_flags, q->filename, &f) : -ENOMEM;
	while (!r) {
		ssize_t n = file_read_kernel(f, head, HEAD_SIZE, 0);
		char *interp, *arg, *next;

		r = n < 0 ? (int)n : 0;
		if (r || n < 2 || head[0] != '#' || head[1] != '!')
			break;
		head[n] = '\0';
		r = parse_script(head, (size_t)n, &interp, &arg);
		if (!r && q->inaccessible)
			r = -ENOENT;
		if (!r && ++depth > EXEC_SCRIPT_DEPTH)
			r = -ELOOP;
		r = r ? r : script_args(q, interp, arg, *name);
		if (r)
			break;
		file_put(f);
		f = NULL;
		next = strdup(interp);
		free(*name);
		*name = next;
		r = next ? open_program(q, NULL, WALK_FOLLOW, next, &f) : -ENOMEM;
	}
	free(head);
	/* ETXTBSY while somebody may write it; given back when the file goes */
	if (!r) {
		r = inode_deny_write(f->inode);
		f->mode |= r ? 0 : FILE_EXEC;
	}
	if (r && f)
		file_put(f);
	*out = r ? NULL : f;
	return r;
}

/* --- credentials and memory ----------------------------------------------------------- */

static int new_cred(struct exec_request *q, struct file *f, struct exec_image *img)
{
	struct file_caps fc = { 0 };
	bool may_gain = !q->no_new_privs && !(mount_flags(f->path.mnt) & LINUX_MS_NOSUID);
	struct kstat st;
	char attr[24];
	ssize_t n;
	int r = vfs_getattr(&f->path, &st);

	if (r)
		return r;
	if (st.uid == ID_NONE || st.gid == ID_NONE)
		st.mode &= ~(uint32_t)(LINUX_S_ISUID | LINUX_S_ISGID);
	/* a file's capabilities are those of its file system's root: where that is another one's here, they are none */
	if (may_gain && f->inode->ops->getxattr && (!mount_is_idmapped(f->path.mnt) || !user_ns_number(q->cred->user_ns, false, idmap_seen(f->path.mnt, false, 0)))) {
		n = f->inode->ops->getxattr(f->inode, "security.capability", attr, sizeof(attr));
		if (n > 0)
			(void)file_caps_parse(attr, (size_t)n, &fc);
	}
	img->cred = exec_cred(q->cred, st.mode, st.uid, st.gid, &fc, may_gain, &r, &img->secure);
	return r;
}

/* Linux: would_dump(). Who may not read a program may not look at it by running it either: its memory
 * is then for those with capabilities where the file's owners are known. 0 or -errno. */
static int set_lookers(struct exec_request *q, struct file *f, struct exec_image *img)
{
	struct user_ns *ns = q->cred->user_ns;
	bool readable = !vfs_permission(&f->path, 4, q->cred);
	struct kstat st;
	int r = readable || !ns ? 0 : vfs_getattr(&f->path, &st);

	if (r)
		return r;
	while (!readable && ns && (user_ns_number(ns, false, st.uid) == ID_NONE || user_ns_number(ns, true, st.gid) == ID_NONE))
		ns = ns->parent;
	user_ns_get(ns);
	mm_set_user_ns(img->mm, ns);
	mm_set_dumpable(img->mm, !img->secure && readable);
	return 0;
}

static int load_binary(struct exec_request *q, struct file *f, const char *name, struct exec_image *img)
{
	const struct linux_rlimit *rl = q->rlimits;
	struct elf_args *a = calloc(1, sizeof(*a));
	struct elf_result res;
	int r;

	if (!a)
		return -ENOMEM;
	*a = (struct elf_args){ .open_interp = open_interp, .close_interp = close_interp, .arg = q, .execfn = name };
	a->argv = (const char *const *)q->argv.s;
	a->argc = q->argv.n;
	a->envp = (const char *const *)q->envp.s;
	a->envc = q->envp.n;
	a->uid = uid_shown(img->cred->user_ns, img->cred->ruid);
	a->euid = uid_shown(img->cred->user_ns, img->cred->euid);
	a->gid = gid_shown(img->cred->user_ns, img->cred->rgid);
	a->egid = gid_shown(img->cred->user_ns, img->cred->egid);
	a->secure = img->secure;
	a->no_randomize = q->personality & PERSONALITY_NO_RANDOMIZE;
	a->read_implies_exec = q->personality & PERSONALITY_READ_IMPLIES_EXEC;
	a->vdso = q->time ? q->time->vdso.obj : NULL;
	r = elf_file_fill(&a->prog, f);
	if (!r) {
		img->mm = mm_new(&q->k->mm_env);
		r = img->mm ? 0 : -ENOMEM;
		if (!r) {
			mm_set_limits(img->mm, rl[LINUX_RLIMIT_AS].cur, rl[LINUX_RLIMIT_DATA].cur, rl[LINUX_RLIMIT_STACK].cur,
				rl[LINUX_RLIMIT_MEMLOCK].cur);
			r = elf_load(img->mm, a, &res);
		}
		memobj_put(a->prog.obj);
	}
	free(a);
	if (r)
		return r;
	img->entry = res.entry;
	img->sp = res.sp;
	return set_lookers(q, f, img);
}

void exec_image_free(struct exec_image *img)
{
	if (img->mm)
		mm_put(img->mm);
	cred_put(img->cred);
	*img = (struct exec_image){ 0 };
}

int exec_load(struct exec_request *q, struct exec_image *img)
{
	const char *slash = strrchr(q->filename, '/');
	struct file *f = NULL;
	char *name = NULL;
	int r = 0;

	*img = (struct exec_image){ 0 };
	strncpy(img->comm, slash ? slash + 1 : q->filename, sizeof(img->comm) - 1);
	/* Linux 5.18: a program never sees argc 0 */
	if (!q->argv.n)
		r = str_list_add(&q->argv, "");
	r = r ? r : find_binary(q, &f, &name);
	if (!r)
		r = new_cred(q, f, img);
	if (!r)
		r = load_binary(q, f, name, img);
	if (f)
		file_put(f);
	free(name);
	if (r)
		exec_image_free(img);
	return r;
}
