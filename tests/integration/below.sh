#!/bin/bash
# below.sh - what the host changes in a tree while a sandbox has it: in `launcher do`, whose
# changes lie over the host's root, in a created container's own root, in one over which its
# changes lie in memory, and in a bound directory over which they do.  A request from outside is
# made after each change, so that what was cached before counts no more (sentry/vfs/age.c), and nothing
# here depends on time.
# usage: below.sh [LAUNCHER]; needs ldd, python3.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
work=$(mktemp -d /var/tmp/redoubt-below.XXXXXX)
pid=
trap '[ -z "$pid" ] || kill "$pid"; ! mountpoint -q "$work/d" || umount -l "$work/d"; rm -rf "$work"; cleanup' EXIT
run() { timeout -k 1 "$LIMIT" "$LAUNCHER" --root "$STATE" "$@"; }
chmod 755 "$work"
mkdir -p "$STATE" "$SCRATCH/b" "$work"/root/{bin,proc,dev,tmp,bound}
for c in bash cat ls stat readlink mkdir rmdir rm mv chmod ln find sort; do
	cp -L "$(command -v $c)" "$work/root/bin/"
done
for l in $(ldd "$work"/root/bin/* | grep -o '/[^ :)]*\.so[^ )]*' | sort -u); do
	mkdir -p "$work/root${l%/*}" && cp -L "$l" "$work/root$l"
done
tools=$(cd "$work/root" && find bin -type f | wc -l)
[ "$tools" -eq 13 ] || { not_ok "the tools" "$tools"; finish; exit; }

# --- the sandbox ----------------------------------------------------------------------------
# begin KIND : $id runs, and the host's $work/d is $d inside
begin() {
	kind=$1 d=$work/d
	rm -rf "$work/d" "$work/root/d"
	case $kind in
	"do")
		mkfifo "$work/ask" "$work/answer"
		"$LAUNCHER" --root "$STATE" do -- "$work/root/bin/bash" -c 'while read -r l; do eval "$l" 2>&1; echo "=="; done' <"$work/ask" >"$work/answer" 2>"$SCRATCH/err" &
		pid=$!
		exec 8>"$work/ask" 9<"$work/answer"
		rm "$work/ask" "$work/answer"
		id=do-$pid
		mkdir "$d"
		return
		;;
	"its own root" | "a root with changes in memory") d=/d; ln -s root/d "$work/d"; mkdir "$work/root/d" ;;
	*) d=/bound; mkdir "$work/d" ;;
	esac
	[ "$kind" != "a bound file system with changes in memory" ] || mount -t tmpfs -o size=8m none "$work/d"
	id=below-$$
	spec "$SCRATCH/b" false /bin/bash -c 'read <> <(:)' # for ever
	python3 - "$SCRATCH/b/config.json" "$work" "$kind" <<'PY'
import json, sys
p, work, kind = sys.argv[1:]
c = json.load(open(p))
c["root"]["path"] = work + "/root"
if "bound" in kind:
    c["mounts"].append({"destination": "/bound", "type": "bind", "source": work + "/d", "options": ["rbind", "rw"]})
json.dump(c, open(p, "w"))
PY
	case $kind in
	"a root"*) flags=--overlay2=root:memory ;;
	"a bound"*) flags=--overlay2=all:memory ;;
	*) flags=--overlay2=none ;;
	esac
	run "$flags" create -b "$SCRATCH/b" "$id" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err" && run start "$id" 2>"$SCRATCH/err"
	is "$kind: begins" $? 0
}
end() {
	if [ "$kind" = "do" ]; then
		exec 8>&- 9<&-
		wait "$pid"
		is "$kind: ends" $? 0
		pid=
	else
		run delete --force "$id"
	fi
}
# ask COMMAND : what it prints inside, in $got; everything that was known before is old by now
ask() {
	got=
	if [ "$kind" != "do" ]; then
		got=$(run exec "$id" /bin/bash -c "cd $d; $1" 2>&1 </dev/null)
		return
	fi
	run ps "$id" >"$SCRATCH/out" 2>"$SCRATCH/err"
	echo "cd $d; $1" >&8
	while read -rt "$LIMIT" line <&9 && [ "$line" != "==" ]; do got=$got${got:+ }$line; done
}
# seen NAME COMMAND WANTED
seen() {
	ask "$2"
	is "$kind: $1" "$(echo $got)" "$3"
}

# lists : access lists, which `ls -l` tells of by a +, and asks for file after file
lists() {
	seen "no access lists" 'ls -l >/dev/null; ls -ld file dir grows replaced | while read -r m r; do echo "${m:10}."; done' ". . . ."
	python3 - "$h" <<'PY' || { echo "skipped: $work has no access lists"; return; }
import os, struct, sys
acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in
    ((1, 6, 0xffffffff), (2, 4, 12345), (4, 4, 0xffffffff), (16, 4, 0xffffffff), (32, 4, 0xffffffff)))
os.setxattr(sys.argv[1] + "/file", "system.posix_acl_access", acl)
os.setxattr(sys.argv[1] + "/dir", "system.posix_acl_default", acl)
PY
	seen "access lists" 'ls -ld file dir grows replaced | while read -r m r; do echo "${m:10}."; done' "+. +. . ."
	python3 -c 'import os, sys; [os.removexattr(sys.argv[1] + f, "system.posix_acl_" + a) for f, a in (("/file", "access"), ("/dir", "default"))]' "$h"
	seen "none again" 'ls -ld file dir grows replaced | while read -r m r; do echo "${m:10}."; done' ". . . ."
}

# --- a tree that is walked again and again ----------------------------------------------------
# tree ROUND : makes it, or changes each of its names in one way or the other
tree() {
	python3 - "$h/w" "$1" <<'PY'
import os, random, shutil, sys
top, round_ = sys.argv[1], int(sys.argv[2])
r = random.Random(round_)
made = 0
def remove(p):
    if os.path.isdir(p) and not os.path.islink(p):
        shutil.rmtree(p)
    else:
        os.unlink(p)
def make(p, depth):
    global made
    made += 1
    kind = r.choice("ffffffld") if depth < 3 else r.choice("fffl")
    if kind == "f":
        with open(p, "w") as f:
            f.write("%d.%d%s\n" % (round_, made, "x" * r.randrange(90)))
    elif kind == "l":
        os.symlink("to%d.%d" % (round_, made), p)
    else:
        os.mkdir(p)
        fill(p, depth + 1)
def fill(d, depth):
    for i in range(16):
        if r.randrange(3):
            make("%s/n%d" % (d, i), depth)
def change(d, depth):
    for i in range(16):
        p = "%s/n%d" % (d, i)
        what = r.randrange(9)
        if not os.path.lexists(p):
            if what < 3:
                make(p, depth)
        elif what == 0:
            remove(p)
        elif what == 1: # another in its place, perhaps of another type
            remove(p)
            make(p, depth)
        elif what == 2 and os.path.isfile(p):
            with open(p + ".", "w") as f:
                f.write("moved%d\n" % round_)
            os.rename(p + ".", p)
        elif what == 3 and os.path.isfile(p):
            with open(p, "a") as f:
                f.write("more\n")
        elif what == 4 and not os.path.islink(p):
            os.chmod(p, 0o700 + r.randrange(64))
        elif what == 5: # two change places
            q = "%s/n%d" % (d, r.randrange(16))
            if q != p and os.path.lexists(q):
                os.rename(p, p + "."); os.rename(q, p); os.rename(p + ".", q)
        elif os.path.isdir(p) and not os.path.islink(p):
            change(p, depth + 1)
if round_:
    change(top, 0)
else:
    os.mkdir(top)
    for i in range(16): # directories at the top
        os.mkdir("%s/n%d" % (top, i))
        fill("%s/n%d" % (top, i), 1)
PY
}
looks='find w -type d -printf "%p %y %m %T@\n" -o -printf "%p %y %m %s %n %l %T@\n" | sort; for n in $(find w -type f | sort); do read -r l <"$n"; echo "$l"; done'
requests() { run export-metrics "$id" 2>>"$SCRATCH/err" | sed -n 's/^redoubt_gofer_requests_total{.*} //p'; }
walks() {
	tree 0
	for round in 0 1 2; do
		seen "a tree that is walked, round $round" "$looks" "$(echo $(cd "$h" && eval "$looks"))"
		tree $((round + 1))
	done
	ask 'find w -size +100'
	before=$(requests)
	ask 'find w -size +100'
	after=$(requests)
	names=$(find "$h/w" | wc -l)
	case $kind in "a bound"*) limit=9999 ;; *) limit=$((names / 3)) ;; esac # (which others may change at any time)
	[ "$names" -gt 150 ] && [ $((after - before)) -lt "$limit" ] && ok "$kind: names that are old are asked for many at once" ||
		not_ok "$kind: names that are old are asked for many at once" "$before to $after requests for $names names"
	rm -r "$h/w"
}

# --- what is changed ------------------------------------------------------------------------
all() {
	begin "$1"
	h=$work/d
	mkdir "$h/dir" "$h/gone" "$h/full" "$h/moved"
	for f in file grows replaced removed becomes dir/x gone/x full/x moved/x linked ours kept; do echo "$f" >"$h/$f"; done
	ln -s file "$h/link"
	ln -s dir "$h/way"
	names="becomes dir file full gone grows kept link linked moved ours removed replaced way"
	# everything becomes known, what is not there, too
	seen "what lies there" 'ls; cat file grows replaced removed becomes dir/x gone/x full/x moved/x; cat link way/x; stat -c %h linked; ls new dir/new 2>/dev/null' \
		"$names file grows replaced removed becomes dir/x gone/x full/x moved/x file dir/x 1"
	seen "and again" 'find . | sort | while read -r n; do stat "$n"; done >/dev/null; [ -e new ] || [ -e dir/new ] || echo none' none

	echo new >"$h/new"
	mkdir "$h/dir/new"
	seen "a new name" 'cat new; stat -c %F dir/new; [ -e new ] && [ -d dir/new ] && echo there; ls dir' "new directory there new x"
	rm "$h/removed" "$h/new"
	rmdir "$h/dir/new"
	seen "a removed one" 'cat removed new 2>/dev/null || [ -e removed ] || [ -e dir/new ] || echo none; ls' "none ${names/ removed/}"
	echo removed >"$h/removed"
	seen "one that is there again" 'cat removed' removed
	echo other >"$h/r" && mv "$h/r" "$h/replaced"
	seen "a replaced file" 'cat replaced; stat -c %s replaced' "other 6"
	echo more >>"$h/grows"
	seen "one that grows" 'stat -c %s grows; cat grows' "11 grows more"
	echo GROWS >"$h/grows"
	seen "one that is written anew" 'stat -c %s grows; cat grows' "6 GROWS"
	lists
	chmod 751 "$h/file" && chmod 1711 "$h/dir"
	seen "modes" 'stat -c %a file dir' "751 1711"
	touch -d @1000000000 "$h/file"
	seen "times" 'stat -c %Y file' 1000000000
	ln "$h/linked" "$h/link2"
	seen "a hard link" 'stat -c %h linked; cat link2; [ linked -ef link2 ] && echo same' "2 linked same"
	ln -sfn grows "$h/link" && ln -sfn full "$h/way"
	seen "symbolic links" 'readlink link; cat link; cat way/x' "grows GROWS full/x"
	rm "$h/becomes" && mkdir "$h/becomes" && echo b >"$h/becomes/b"
	seen "a file that becomes a directory" 'stat -c %F becomes; ls becomes; cat becomes/b' "directory b b"
	mv "$h/moved" "$h/elsewhere"
	seen "a moved directory" 'cat elsewhere/x; ls moved 2>/dev/null || echo none' "moved/x none"
	mv "$h/elsewhere" "$h/moved"
	rm -r "$h/gone"
	seen "a removed directory" 'cat gone/x 2>/dev/null || stat gone 2>/dev/null || echo none' none
	mkdir "$h/gone" && echo y >"$h/gone/y"
	seen "another of its name" 'ls gone; cat gone/y' "y y"
	walks
}
# where changes lie over the tree: what is changed inside is the host's no more
over() {
	seen "changed inside" 'echo inside >>ours; rm kept; chmod 600 linked; echo made >full/made; mv moved renamed; cat ours; cat renamed/x; ls full' \
		"ours inside moved/x made x"
	echo theirs >"$h/o" && mv "$h/o" "$h/ours"
	echo again >"$h/kept"
	rm "$h/linked"
	echo x2 >"$h/full/x2"
	seen "and by the host then" 'cat ours; cat kept 2>/dev/null || echo none; stat -c %a linked; ls full; cat full/x2' "ours inside none 600 made x x2 x2"
	mkdir "$h/renamed"
	echo y >"$h/moved/y"
	seen "a directory that was renamed inside" 'ls renamed; cat renamed/y; ls moved 2>/dev/null || echo none' "x y y none"
	rm -r "$h/full"
	seen "what was made in a directory that is no more" 'cat full/made; ls full; echo more >full/more; cat full/more; cat full/x 2>/dev/null || echo none' "made made more none"
	seen "and its removal" 'rm full/made full/more && ls full && rmdir full && [ ! -e full ] && echo gone' gone
	[ ! -e "$h/full" ] && [ "$(cat "$h/ours" "$h/kept")" = "theirs
again" ] && ok "$kind: the host's are as it left them" || not_ok "$kind: the host's are as it left them" "$(ls -R "$h")"
}

for kinds in "do" "its own root" "a root with changes in memory" "a bound directory with changes in memory"; do
	all "$kinds"
	[ "$kind" = "its own root" ] || over
	if [ "$kind" = "do" ]; then # what is open stays what it is
		seen "an open file" 'exec 5<file 6<dir; cat <&5' file
		echo instead >"$h/f" && mv "$h/f" "$h/file"
		echo z >"$h/dir/z"
		seen "replaced" 'cat /proc/self/fd/5 file; ls /proc/self/fd/6; exec 5<&- 6<&-' "file instead x z"
	fi
	end
done

begin "a bound file system with changes in memory"
h=$work/d
seen "its size" 'stat -f -c "%b %f" .; stat -f -c "%b %f" .' "2048 2048 2048 2048"
head -c 1M /dev/zero >"$h/big"
seen "what the host leaves of it" 'stat -f -c "%b %f" .; stat -f -c "%b %f" .' "2048 1792 2048 1792"
rm "$h/big"
seen "and gives back" 'stat -f -c "%b %f" .' "2048 2048"
end
umount "$work/d"
finish
