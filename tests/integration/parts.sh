#!/bin/bash
# parts.sh - the components by hand: wired from a shell with no launcher, asked
# by ipcctl, and what each says of itself (help, version, policy, man page).
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
bin=${REDOUBT_BIN:-$top}
bin=${bin%/}
PATH=$bin/launcher:$bin/controld:$bin/gofer:$bin/launcher/scope:$bin/sentry:$bin/libipc:$PATH
[ -e "$TREE/.complete" ] || debian_tree
export LC_ALL=C # patterns match bytes
NL='
'

# expect NAME STATUS PATTERN COMMAND... : standard output as the shell pattern says
expect() {
	name=$1 status=$2 pattern=$3
	shift 3
	out=$(timeout -k 5 120 "$@" 2>"$SCRATCH/err")
	got=$?
	# shellcheck disable=SC2254 # a pattern is meant
	case $out in
	$pattern) if [ "$got" -eq "$status" ]; then ok "$name"; return; fi ;;
	esac
	not_ok "$name" "status $got, not $status; printed: ${out:0:300}" "stderr: $(tail -c 300 "$SCRATCH/err")"
}

# refused NAME STATUS PATTERN COMMAND... : one line of standard error, as the shell pattern says
refused() {
	name=$1 status=$2 pattern=$3
	shift 3
	timeout -k 5 120 "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null
	got=$?
	err=$(cat "$SCRATCH/err")
	# shellcheck disable=SC2254
	case $err in
	*"$NL"*) ;;
	$pattern) if [ "$got" -eq "$status" ]; then ok "$name"; return; fi ;;
	esac
	not_ok "$name" "status $got, not $status; stderr: ${err:0:300}"
}

# by_hand SENTRY-OPTIONS -- PROGRAM... : a program of the tree, with nothing but gofer and sentry
gofer="gofer --root $TREE --ipc-fd {fs}"
ro="gofer --root $TREE --read-only --ipc-fd {fs}"

# --- wired by hand ------------------------------------------------------------------
expect "a program by ipcwire" 0 "*bin${NL}boot${NL}*${NL}var" ipcwire "$gofer" 'sentry --gofer-fd {fs} -- /bin/ls /'
expect "its exit status" 7 "" ipcwire "$gofer" 'sentry --gofer-fd {fs} -- /bin/sh -c "exit 7"'
# (process 1 of a pid namespace is not killed by itself)
expect "a child killed by a signal" 137 "" ipcwire "$gofer" 'sentry --gofer-fd {fs} -- /bin/bash -c "(kill -9 \$BASHPID); exit \$?"'
expect "looked up in PATH" 0 "hi" ipcwire "$gofer" 'sentry --gofer-fd {fs} -- echo hi'
expect "its directory, host name, ids, environment" 0 "/usr wired 12 34 value" ipcwire "$gofer" \
	'sentry --gofer-fd {fs} --cwd /usr --hostname wired --uid 12 --gid 34 --env NAME=value --env PATH=/bin -- /bin/sh -c "echo \$(pwd) \$(cat /proc/sys/kernel/hostname) \$(id -u) \$(id -g) \$NAME"'
echo from outside >"$SCRATCH/in"
expect "its standard input" 0 "from outside" sh -c "ipcwire '$gofer' 'sentry --gofer-fd {fs} -- /bin/cat' <$SCRATCH/in"
expect "a pipe in and out" 0 "5050" sh -c "seq 100 | ipcwire '$gofer' 'sentry --gofer-fd {fs} -- /usr/bin/awk \"{s+=\\\$1} END {print s}\"' | cat"
expect "many processes" 0 "500" ipcwire "$gofer" 'sentry --gofer-fd {fs} -- /bin/bash -c "for i in \$(seq 100); do (echo 5) & done | paste -sd+ | sed s/+/\ /g | tr \" \" \"\n\" | awk \"{s+=\\\$1} END {print s}\"; wait"'
expect "changes with --overlay stay inside" 0 "inside" ipcwire "$ro" \
	'sentry --gofer-fd {fs} --overlay -- /bin/sh -c "echo inside >/etc/parts-test; cat /etc/parts-test"'
[ -e "$TREE/etc/parts-test" ] && not_ok "--overlay leaves the tree alone" || ok "--overlay leaves the tree alone"
expect "a read-only tree" 1 "*Read-only file system" ipcwire "$ro" 'sentry --gofer-fd {fs} -- /bin/sh -c "exec 2>&1; touch /etc/x"'
mkdir "$SCRATCH/tree"
cp -a "$TREE/bin" "$TREE/lib" "$TREE/lib64" "$SCRATCH/tree/"
mkdir "$SCRATCH/tree/usr" "$SCRATCH/tree/data"
refused "a tree without the file" 1 "*no such file or directory*" ipcwire "gofer --root $SCRATCH/tree --ipc-fd {fs}" 'sentry --gofer-fd {fs} -- /bin/ls /'
timeout 30 ipcwire "$gofer" 'sentry --gofer-fd {fs} --strace -- /bin/true' >"$SCRATCH/out" 2>&1
grep -q 'openat(' "$SCRATCH/out" && grep -q 'exit_group(0' "$SCRATCH/out" && ok "--strace shows the calls" ||
	not_ok "--strace shows the calls" "$(head -5 "$SCRATCH/out")"
shows() { grep -qF -- "$2" "$SCRATCH/out" && ok "--strace: $1" || not_ok "--strace: $1" "no '$2' in:" "$(grep "${2%%(*}" "$SCRATCH/out" | head -3)"; }
timeout 30 ipcwire "$gofer" 'sentry --gofer-fd {fs} --strace -- /bin/sh -c "cat /no\"t\"here; sleep 0.2; kill -0 1; echo hi >/dev/null"' >"$SCRATCH/out" 2>&1
shows "paths, flags and errors" 'openat(AT_FDCWD, "/nothere", O_RDONLY) = -1 ENOENT (No such file or directory)'
shows "modes where they count" 'openat(AT_FDCWD, "/dev/null", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3'
shows "data, quoted" 'write(1, "hi\n", 3) = 3'
shows "structures" ', st_size='
shows "argument lists" 'execve("/usr/bin/cat", ["cat", "/nothere"], 0x'
shows "numbers with names" 'mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x'
shows "signals" 'kill(1, 0) = 0'
shows "what waits" 'clock_nanosleep(CLOCK_REALTIME, 0, {0.200000000}, 0x'
shows "and goes on" '<... clock_nanosleep resumed>) = 0'
timeout 30 ipcwire "$gofer" 'sentry --gofer-fd {fs} --log-format json --strace -- /bin/true' 2>"$SCRATCH/out"
if python3 -c 'import json, sys; [json.loads(l) for l in open(sys.argv[1])]' "$SCRATCH/out" 2>"$SCRATCH/err"; then
	ok "--log-format json"
else
	not_ok "--log-format json" "$(tail -1 "$SCRATCH/err")" "$(head -3 "$SCRATCH/out")"
fi

# --- errors: one line, and a status ----------------------------------------------------
refused "sentry: nothing to do" 1 "*nothing to run*" sentry
refused "sentry: unknown option" 1 "*unknown option --frob*" sentry --frob
refused "sentry: a descriptor that is not open" 1 "*--gofer-fd*77*" sentry --gofer-fd 77 -- /bin/true
refused "sentry: not a number" 1 "*--gofer-fd*x*" sentry --gofer-fd x -- /bin/true
refused "sentry: a descriptor that is no socket" 1 "*sentry*non-socket*" sh -c 'exec sentry --gofer-fd 9 -- /bin/true 9</dev/null'
refused "sentry: unknown platform" 1 "*frob*" ipcwire "$gofer" 'sentry --gofer-fd {fs} --platform frob -- /bin/true'
refused "sentry: no such program" 1 "*/bin/nothing*no such file or directory*" ipcwire "$gofer" 'sentry --gofer-fd {fs} -- /bin/nothing'
refused "sentry: a directory as program" 1 "*/bin*permission denied*" ipcwire "$gofer" 'sentry --gofer-fd {fs} -- /bin'
refused "sentry: no program by that name" 1 "*nothing*not found in \$PATH*" ipcwire "$gofer" 'sentry --gofer-fd {fs} -- nothing'
refused "gofer: no tree" 1 "*gofer*--root is missing*" gofer --ipc-fd 0
refused "gofer: a tree that is not there" 1 "*/nowhere*No such file or directory*" ipcwire 'sleep 1 <&{fs}' 'gofer --root /nowhere --ipc-fd {fs}'
refused "controld: nothing given" 1 "*--id*" controld
refused "ipcwire: a name in one command only" 2 "ipcwire*fs*" ipcwire 'gofer --root / --ipc-fd {fs}' true

# --- ipcctl against a gofer, and against a live sandbox's controld -------------------------
expect "ipcctl: a file's content through a spawned gofer" 0 "box-of-files" sh -c \
	"echo box-of-files >$SCRATCH/tree/data/f; ipcctl --spawn 'gofer --root $SCRATCH/tree --ipc-fd {fd}' --quiet --cat-fd fd attach '{\"tree\": 0}' walk '{\"dir\": 1, \"names\": [\"data\", \"f\"]}' open '{\"node\": 3, \"flags\": 0}'"
expect "ipcctl: the gofer refuses '..'" 1 "*error*" ipcctl --spawn "gofer --root $SCRATCH/tree --ipc-fd {fd}" attach '{"tree": 0}' walk '{"dir": 1, "names": [".."]}'
for p in gofer control boot; do expect "ipcctl schema $p" 0 "# The $p protocol*" ipcctl schema $p; done
# the sentry's own connection: what is wrong is told, or the connection ends
sentry='sentry --boot-fd {fd} --log-format json'
expect "boot: unknown method" 1 '*"ENOSYS"*' ipcctl --spawn "$sentry" boot --raw 95010007cd03e890
expect "boot: truncated frame" 1 '*connection closed*' ipcctl --spawn "$sentry" boot --raw 9501
expect "boot: not a frame" 1 '*connection closed*' ipcctl --spawn "$sentry" boot --raw 00
for d in '{"text": "x"}' '{"open": "/dev/zero"}' '{"open": "/etc", "flags": "dir"}' '{"open": "/dev/null"}'; do
	expect "boot: specification $d" 1 '*"error":*specification*' ipcctl --spawn "$sentry" boot setup "{\"spec\": $d, \"gofer\": {\"open\": \"/dev/null\"}, \"stdio\": []}"
done
expect "boot: surplus descriptor" 1 '*"EPROTO"*3 descriptors*' ipcctl --spawn "$sentry" boot --surplus-fd 0 \
	setup '{"spec": {"text": "x"}, "gofer": {"open": "/dev/null"}, "stdio": []}'
id=parts$$
mkdir -p "$SCRATCH/bundle"
spec "$SCRATCH/bundle" false /bin/sleep 100
if timeout 20 "$LAUNCHER" --root "$STATE" run -d --bundle "$SCRATCH/bundle" "$id" </dev/null >"$SCRATCH/out" 2>&1; then
	sock=$STATE/$id/control.sock
	expect "ipcctl: a sandbox's state from its socket" 0 '*"status":0*"sentry_status":0*' ipcctl --connect "$sock" state "{\"id\": \"$id\"}"
	expect "ipcctl: its processes" 0 '*sleep*' ipcctl --connect "$sock" processes "{\"id\": \"$id\", \"after\": 0}"
	expect "ipcctl: another container's id" 1 '*error*' ipcctl --connect "$sock" processes '{"id": "other", "after": 0}'
	expect "ipcctl: unknown method" 1 '*ENOSYS*' ipcctl --connect "$sock" --raw 95010007cd03e890
	expect "ipcctl: truncated frame" 1 '*connection closed*' ipcctl --connect "$sock" --raw 9501
	expect "ipcctl: surplus descriptor" 1 '*EPROTO*' ipcctl --connect "$sock" --surplus-fd 0 state "{\"id\": \"$id\"}"
	expect "ipcctl: the sandbox is none the worse" 0 '*"status":0*"sentry_status":0*' ipcctl --connect "$sock" state "{\"id\": \"$id\"}"
	if [ "$(id -u)" = 0 ]; then
		chmod 755 "$SCRATCH" "$STATE"
		refused "another user cannot connect" 2 "*Permission denied*" setpriv --reuid 1234 --clear-groups "$bin/libipc/ipcctl" --connect "$sock" state "{\"id\": \"$id\"}"
	fi
	timeout 20 "$LAUNCHER" --root "$STATE" delete --force "$id"
else
	not_ok "a sandbox to ask" "$(cat "$SCRATCH/out")"
fi

# --- the table of system calls ----------------------------------------------------------------
sentry --syscalls >"$SCRATCH/syscalls"
sed -n 's/^SYSCALL(\([0-9]*\), \([a-z0-9_]*\), [^,]*, \([A-Z]*\),.*/\1 \2 \L\3/p' "$top/sentry/syscalls/table.def" | sort -n >"$SCRATCH/rows"
if awk 'NR > 1 { print $1, $2, $3 }' "$SCRATCH/syscalls" | sort -n | diff - "$SCRATCH/rows" >"$SCRATCH/diff"; then
	ok "sentry --syscalls is table.def ($(wc -l <"$SCRATCH/rows") rows)"
else
	not_ok "sentry --syscalls is table.def (< has a handler, > promised)" "$(head -8 "$SCRATCH/diff")"
fi
sort -n "$SCRATCH/rows" | awk '{ print $1, $2 }' >"$SCRATCH/ours"
echo '#include <asm/unistd_64.h>' | cc -E -dM - | sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$/\2 \1/p' | sort -n >"$SCRATCH/theirs"
n=$(join -j 1 <(sort "$SCRATCH/ours") <(sort "$SCRATCH/theirs") | awk '$2 != $3 && $2 != "umount2"' | wc -l)
[ "$n" -eq 0 ] && ok "numbers and names are Linux's" || not_ok "numbers and names are Linux's" "$(join -j 1 <(sort "$SCRATCH/ours") <(sort "$SCRATCH/theirs") | awk '$2 != $3' | head -5)"
n=$(awk '$3 == "partial" && NF < 4' "$SCRATCH/syscalls" | wc -l)
[ "$n" -eq 0 ] && ok "each partial call says what is missing" || not_ok "each partial call says what is missing" "$(awk '$3 == "partial" && NF < 4' "$SCRATCH/syscalls" | head -5)"

# --- what each says of itself --------------------------------------------------------------------
# options_of : the long options named in the text
options_of() { grep -oE -- '(^|[^a-zA-Z0-9-])--[a-z][a-z-]*[a-z]' | grep -oE -- '--[a-z-]+' | sort -u; }
for c in launcher controld gofer sentry ipcctl ipcwire scope; do
	dir=$c
	command -v $c >/dev/null || { skip "$c" "not built: it needs libsystemd-dev"; continue; }
	case $c in ipc*) dir=libipc ;; scope) dir=launcher/scope ;; esac
	expect "$c --version" 0 "*[0-9].[0-9]*" $c --version
	expect "$c --print-policy" 0 "component $c$NL*" $c --print-policy
	expect "$c --help" 0 "usage: *" $c --help
	man=$top/$dir/$c.1
	if [ ! -e "$man" ]; then
		not_ok "$c has a man page"
		continue
	fi
	{
		$c --help
		[ $c = launcher ] && for k in $($c --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do [ "$k" = help ] || $c help "$k"; done
	} >"$SCRATCH/help"
	options_of <"$SCRATCH/help" >"$SCRATCH/in-help"
	sed 's/\\f[BIRP]//g; s/\\-/-/g; s/^\.[A-Z]* *//; s/[",]/ /g' "$man" >"$SCRATCH/text"
	options_of <"$SCRATCH/text" >"$SCRATCH/in-man"
	d=$(comm -23 "$SCRATCH/in-help" "$SCRATCH/in-man" | tr '\n' ' ')
	[ -z "$d" ] && ok "$c.1 has each option of --help" || not_ok "$c.1 has each option of --help" "missing: $d"
	# the examples may name options of other programs, as does what other runtimes take
	d=$(sed '/^WHAT OTHER RUNTIMES TAKE/,/^EXIT STATUS/d; /^EXAMPLES/,$d' "$SCRATCH/text" | options_of | comm -13 "$SCRATCH/in-help" - | tr '\n' ' ')
	[ -z "$d" ] && ok "$c.1 has no option that is not there" || not_ok "$c.1 has no option that is not there" "$d"
	if command -v man >/dev/null; then
		w=$(MANWIDTH=100 man --warnings -E UTF-8 -l -Tutf8 -Z "$man" 2>&1 >/dev/null)
		[ -z "$w" ] && ok "$c.1 is well formed" || not_ok "$c.1 is well formed" "$w"
	fi
done
finish
