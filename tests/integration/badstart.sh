#!/bin/bash
# badstart.sh - a start that fails says why, in one line, whichever component failed and
# however, with a log and without; nothing is left behind.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
. "$top/tests/integration/lib.sh"
bin=${REDOUBT_BIN:-$top}
b=$SCRATCH/bundle
mkdir -p "$STATE" "$b" "$SCRATCH/parts" "$SCRATCH/full"
for p in launcher controld gofer sentry; do cp "${bin%/}/$p/$p" "$SCRATCH/parts/" || exit 1; done
mount -t tmpfs full "$SCRATCH/full" && umount "$SCRATCH/full" # which makes files in /run the first time
: >"$SCRATCH/after" >"$SCRATCH/out" >"$SCRATCH/log" >"$SCRATCH/keep"
spec "$b" false /bin/true
timeout 30 "$LAUNCHER" --root "$STATE" run --bundle "$b" first >"$SCRATCH/out" 2>&1 || { not_ok "a container to begin with" "$(cat "$SCRATCH/out")"; finish; exit; }
snapshot >"$SCRATCH/before"

# config PYTHON : config.json, changed by a piece of Python on c
config() {
	spec "$b" false /bin/true
	python3 -c "import json, sys; c = json.load(open('$b/config.json')); $1; json.dump(c, open('$b/config.json', 'w'))"
}
# fails NAME TEXT LAUNCHER... : status not 0, one line that holds the text, and says nothing of connections
fails() {
	name=$1 text=$2
	shift 2
	timeout -k 5 120 "$@" </dev/null >"$SCRATCH/out" 2>&1
	st=$?
	grep -v '^[0-9-]*T[^ ]* [a-z]*\[' "$SCRATCH/out" >"$SCRATCH/line"
	case $st:$(cat "$SCRATCH/line") in
	0:* | 124:* | *"onnection reset"* | *"peer is gone"* | *EOF*) not_ok "$name" "status $st" "$(cat "$SCRATCH/out")" ;;
	*"$text"*) [ "$(wc -l <"$SCRATCH/line")" = 1 ] && ok "$name" || not_ok "$name: one line" "$(cat "$SCRATCH/out")" ;;
	*) not_ok "$name" "status $st: $(cat "$SCRATCH/out")" "expected: $text" ;;
	esac
	rm -f "$SCRATCH/line"
}
own() { fails "$1" "$2" "$LAUNCHER" --root "$STATE" run --bundle "$b" bad; }

# --- what it is to run on ---------------------------------------------------------------------
config 'c["root"]["path"] = "/nowhere"'; own "a root that is not there" "root.path: '/nowhere': No such file or directory"
config 'c["mounts"].append({"destination": "/mnt", "type": "bind", "source": "/nowhere", "options": ["rbind"]})'; own "a bind's source that is not there" "mounts[5].source: '/nowhere': No such file"
config 'c["mounts"].append({"destination": "/etc/passwd/x", "type": "tmpfs", "source": "t"})'; own "a mount below a file" "mount /etc/passwd/x: mount point: Not a directory"
config 'c["process"]["args"] = ["/no/such"]'; own "a program that is not there" '"/no/such": no such file or directory'
config 'c["process"]["cwd"] = "/no/cwd"'; own "a working directory that is not there" "/no/cwd: No such file or directory"
config pass
mount -t tmpfs -o size=4096,nr_inodes=4 full "$SCRATCH/full"
head -c 4096 /dev/zero >"$SCRATCH/full/filler" 2>/dev/null
fails "no room for the state" "No space left on device" "$LAUNCHER" --root "$SCRATCH/full" run --bundle "$b" bad
umount "$SCRATCH/full"
fails "too few descriptors" "gofer: RLIMIT_NOFILE is 100" sh -c "ulimit -n 100; exec '$LAUNCHER' --root '$STATE' run --bundle '$b' bad"
if [ -n "${REDOUBT_REPORTS-}" ]; then
	skip "too little address space" "instrumented: a sanitizer needs terabytes"
else
	fails "too little address space" "sentry: memory file" sh -c "ulimit -v 1000000; exec '$LAUNCHER' --root '$STATE' run --bundle '$b' bad"
fi
fails "an unknown platform" "sentry: unknown platform 'frob'" "$LAUNCHER" --root "$STATE" --platform frob run --bundle "$b" bad
left_behind "configurations and limits" "$SCRATCH/before"

# --- each component, in each way ------------------------------------------------------------------
for p in controld gofer sentry; do
	mv "$SCRATCH/parts/$p" "$SCRATCH/keep"
	run="$SCRATCH/parts/launcher --root $STATE"
	logged="$run --log $SCRATCH/log --log-format json run --bundle $b bad"
	run="$run run --bundle $b bad"
	# shellcheck disable=SC2086
	{
		fails "$p missing" "the program '$p' is neither beside the launcher" $run
		echo garbage >"$SCRATCH/parts/$p"
		fails "$p not executable" "/$p: Permission denied" $run
		chmod +x "$SCRATCH/parts/$p"
		fails "$p no program" "/$p: Exec format error" $run
		printf '#!/bin/sh\nexit 3\n' >"$SCRATCH/parts/$p"
		fails "$p ends" "$p ended with status 3" $run
		[ $p = gofer ] || fails "$p ends, with a log" "$p ended with status 3" $logged
		printf '#!/bin/sh\necho "%s: the reason why" >&2; exit 1\n' $p >"$SCRATCH/parts/$p"
		fails "$p tells" "$p: the reason why" $run
		fails "$p tells, with a log" "$p: the reason why" $logged
		printf '#!/bin/sh\nkill -SYS $$\n' >"$SCRATCH/parts/$p"
		[ $p = controld ] && fails "$p killed by its filter" "$p was killed by its seccomp filter" $run
	}
	rm "$SCRATCH/parts/$p"
	mv "$SCRATCH/keep" "$SCRATCH/parts/$p"
	: >"$SCRATCH/keep"
	left_behind "$p" "$SCRATCH/before"
done

# --- a container that joins a sandbox -----------------------------------------------------------------
config 'c["annotations"] = {"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": "pod"}; c["process"]["args"] = ["sleep", "1000"]'
timeout 30 "$SCRATCH/parts/launcher" --root "$STATE" run -d --bundle "$b" pod >"$SCRATCH/out" 2>&1 </dev/null || not_ok "a pod" "$(cat "$SCRATCH/out")"
config 'c["annotations"] = {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "pod"}'
mv "$SCRATCH/parts/gofer" "$SCRATCH/keep"
printf '#!/bin/sh\necho "gofer: the reason why" >&2; exit 4\n' >"$SCRATCH/parts/gofer"
chmod +x "$SCRATCH/parts/gofer"
fails "the gofer of one that joins" "the gofer ended with status 4: gofer: the reason why" "$SCRATCH/parts/launcher" --root "$STATE" run --bundle "$b" bad
mv "$SCRATCH/keep" "$SCRATCH/parts/gofer"
: >"$SCRATCH/keep"
timeout 30 "$SCRATCH/parts/launcher" --root "$STATE" run --bundle "$b" good >"$SCRATCH/out" 2>&1 </dev/null && ok "the pod is as good as before" || not_ok "the pod is as good as before" "$(cat "$SCRATCH/out")"
"$SCRATCH/parts/launcher" --root "$STATE" delete --force pod
left_behind "one that joins" "$SCRATCH/before"
finish
