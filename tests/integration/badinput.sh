#!/bin/bash
# badinput.sh - bad input through the command line: one clear line each, a
# non-zero status, and nothing left behind (processes, mounts, cgroups, sockets,
# files).  usage: badinput.sh [LAUNCHER]; needs root or user namespaces, and cc.
set -u
# where mounts are counted nobody else makes any
if [ -z "${REDOUBT_OWN_MOUNTS-}" ] && [ "$(id -u)" = 0 ]; then
	REDOUBT_OWN_MOUNTS=1 exec unshare --mount "$0" "$@"
fi
top=$(cd "$(dirname "$0")/../.." && pwd)
launcher=${1:-${LAUNCHER:-$top/launcher/launcher}}
work=$(mktemp -d /tmp/redoubt-badinput.XXXXXX)
id=badinput-$$
passed=0 failed=0
trap '"$launcher" --root "$work/state" delete --force "$id" 2>/dev/null; rm -rf "$work"' EXIT

run() { timeout -k 1 60 "$launcher" --root "$work/state" "$@" </dev/null; }

ok() { passed=$((passed + 1)); }
bad() {
	failed=$((failed + 1))
	echo "not ok: $*" >&2
}

# What a container could leave on the host.
traces() {
	ls -A "$work/state" 2>/dev/null
	pgrep -f "redoubt-[a-z]* $id" || true
	grep -c . /proc/self/mountinfo
	grep -F "$work/" /proc/net/unix || true
	find /sys/fs/cgroup -type d -name "*$id*" 2>/dev/null
}
mkdir -p "$work/state"
before=$(traces)

nothing_left() { # what
	local now
	now=$(traces)
	# a process that was told to end may need a moment to be gone from /proc
	for _ in $(seq 200); do
		[ "$now" = "$before" ] && break
		sleep 0.05
		now=$(traces)
	done
	if [ "$now" = "$before" ]; then ok; else bad "$1: left behind: $(diff <(echo "$before") <(echo "$now"))"; fi
}

# Runs the launcher; its standard error must be one line, end as given, status not 0.
refused() { # what, expected end of the line, launcher arguments...
	local what=$1 expect=$2 status text
	shift 2
	# through a file: a container that was made in error would hold a pipe open
	run "$@" >/dev/null 2>"$work/refusal"
	status=$?
	text=$(<"$work/refusal")
	if [ $status -eq 0 ] || [ $status -eq 124 ]; then
		bad "$what: status $status"
	elif [ "$(printf '%s\n' "$text" | wc -l)" -ne 1 ]; then
		bad "$what: not one line: $text"
	elif [[ "$text" != "redoubt: "*"$expect" ]]; then
		bad "$what: '$text' does not end with '$expect'"
	else
		ok
	fi
	nothing_left "$what"
}

bundle=$work/bundle
mkdir -p "$bundle/rootfs/bin" "$bundle/rootfs/tmp"
printf 'int main(void) { return 0; }\n' >"$work/true.c"
cc -static -O1 -o "$bundle/rootfs/bin/true" "$work/true.c" || exit 1
head -c 100 "$bundle/rootfs/bin/true" >"$bundle/rootfs/bin/short"
printf '\177ELF\002\001\001' >"$bundle/rootfs/bin/header"
printf 'not a program\n' >"$bundle/rootfs/bin/text"
printf '#!/bin/nothing\n' >"$bundle/rootfs/bin/script"
head -c 65536 "$bundle/rootfs/bin/true" | sed 's/\x3e\x00/\xb7\x00/' >"$bundle/rootfs/bin/arm"
# program headers beyond the end of the file
{ head -c 32 "$bundle/rootfs/bin/true"; printf '\377\377\377\377\377\377\377\177'; tail -c +41 "$bundle/rootfs/bin/true"; } >"$bundle/rootfs/bin/phoff"
chmod 755 "$bundle"/rootfs/bin/*
cp "$bundle/rootfs/bin/true" "$bundle/rootfs/bin/noexec"
chmod 644 "$bundle/rootfs/bin/noexec"

run spec --bundle "$bundle" || exit 1
sed -i 's/"terminal": true/"terminal": false/; s/"args": \["sh"\]/"args": ["\/bin\/true"]/' "$bundle/config.json"
cp "$bundle/config.json" "$work/good.json"

# --- the good one works -----------------------------------------------------------
if run run --bundle "$bundle" "$id"; then ok; else bad "the good configuration"; fi
nothing_left "the good configuration"

# --- each field broken in turn ------------------------------------------------------
while IFS='|' read -r edit expect; do
	[ -n "$edit" ] || continue
	sed "$edit" "$work/good.json" >"$bundle/config.json"
	if cmp -s "$work/good.json" "$bundle/config.json"; then
		bad "the edit '$edit' changes nothing"
		continue
	fi
	refused "$edit" "$expect" run --bundle "$bundle" "$id"
done <<'CASES'
s/"ociVersion": "1.2.0",//|ociVersion: is missing
s/"1.2.0"/102/|ociVersion: is an integer, must be a string
s/"1.2.0"/"9"/|ociVersion: '9' is not supported, 1.x is
s/"process"/"prozess"/|process: is missing
s/"terminal": false/"terminal": "no"/|process.terminal: is a string, must be a boolean
s/"uid": 0/"uid": -1/|process.user.uid: is negative
s/"gid": 0/"gid": "0"/|process.user.gid: is a string, must be an integer
s/"args": \[.*\]/"args": []/|process.args: is empty
s/"args": \[.*\]/"args": [1]/|process.args[0]: is an integer, must be a string
s/"TERM=xterm"/"TERM"/|process.env[1]: 'TERM' is not NAME=VALUE
s/"cwd": "\/"/"cwd": "tmp"/|process.cwd: 'tmp' is not an absolute path
s/"bounding": \["CAP_AUDIT_WRITE"/"bounding": ["CAP_NOPE"/|process.capabilities.bounding[0]: unknown capability 'CAP_NOPE'
s/RLIMIT_NOFILE/RLIMIT_NONE/|process.rlimits[0].type: unknown resource limit 'RLIMIT_NONE'
s/"hard": 1024, "soft": 1024/"hard": 1, "soft": 2/|process.rlimits[0].soft: 2 is above the hard limit 1
s/"noNewPrivileges": true/"noNewPrivileges": 1/|process.noNewPrivileges: is an integer, must be a boolean
s/"root": { "path": "rootfs"/"root": { "path": 1/|root.path: is an integer, must be a string
s/"path": "rootfs"/"path": "nowhere"/|/nowhere': No such file or directory
s/"path": "rootfs"/"path": "config.json"/|/config.json': Not a directory
s/"readonly": true/"readonly": "true"/|root.readonly: is a string, must be a boolean
s/"hostname": "redoubt"/"hostname": ["x"]/|hostname: is a list, must be a string
s/"destination": "\/proc"/"destination": "proc"/|mounts[0].destination: 'proc' is not an absolute path
s/"type": "devpts"/"type": "foo"/|mounts[2].type: unknown file system 'foo'
s/"size=65536k"\] },$/"sighs=1"] },/|mounts[1].options[3]: unknown option 'sighs=1' of a tmpfs mount
s/"type": "sysfs", "source": "sysfs"/"type": "bind", "source": "\/nowhere"/|mounts[5].source: '/nowhere': No such file or directory
s/{ "type": "pid" }/{ "type": "pit" }/|linux.namespaces[0].type: unknown namespace 'pit'
s/{ "type": "pid" }/{ "type": "pid", "path": "\/proc\/1\/ns\/pid" }/|linux.namespaces[0].path: '/proc/1/ns/pid' does not belong to a container of redoubt's; no other can be joined
s/"maskedPaths": \["\/proc\/acpi"/"maskedPaths": ["acpi"/|linux.maskedPaths[0]: 'acpi' is not an absolute path
s/"readonlyPaths": \[.*\]/"readonlyPaths": "x"/|linux.readonlyPaths: is a string, must be a list
CASES

# --- no configuration at all ------------------------------------------------------------
refused "a bundle that is not there" "bundle '/nowhere': No such file or directory" run --bundle /nowhere "$id"
rm "$bundle/config.json"
refused "no config.json" "config.json: No such file or directory" run --bundle "$bundle" "$id"
echo hello >"$bundle/config.json"
refused "not JSON" "'[' or '{' expected near 'hello'" run --bundle "$bundle" "$id"
head -c 300 "$work/good.json" >"$bundle/config.json"
refused "half a file" "premature end of input near '\"CAP_KI'" run --bundle "$bundle" "$id"

# --- programs that cannot run ----------------------------------------------------------------
program() { # program, expected end of the line
	sed "s,\"/bin/true\",\"$1\"," "$work/good.json" >"$bundle/config.json"
	refused "program $1" "$2" run --bundle "$bundle" "$id"
	refused "program $1, create" "$2" create --bundle "$bundle" "$id"
}
program /bin/missing "no such file or directory"
program missing "executable file not found in \$PATH"
program /bin/noexec "permission denied"
program /bin "permission denied"
program /bin/text "exec format error"
program /bin/short "exec format error"
program /bin/header "exec format error"
program /bin/arm "exec format error"
program /bin/phoff "exec format error"
program /bin/script "no such file or directory"

# --- the command line -----------------------------------------------------------------------
cp "$work/good.json" "$bundle/config.json"
refused "unknown command" "unknown command 'frobnicate'; 'redoubt help' lists them" frobnicate
refused "unknown option" "run: unknown option '--frob'" run --frob "$id"
refused "unknown global option" "unknown option '--frob'" --frob run "$id"
refused "no id" "run: too few arguments; usage: redoubt run [OPTIONS] ID" run
refused "two ids" "run: too many arguments; usage: redoubt run [OPTIONS] ID" run --bundle "$bundle" "$id" "$id"
refused "bad id" "must be 1 to 255 of letters, digits and _+.-, beginning with none of .-" run --bundle "$bundle" ../x
refused "bad log format" "--log-format: 'xml' is neither text nor json" --log-format xml list
refused "log that cannot be" "--log /nowhere/log: No such file or directory" --log /nowhere/log list
for command in start state ps kill wait delete; do
	refused "$command without a container" "$command: container '$id' does not exist: No such file or directory" $command "$id"
done
refused "exec without a container" "exec: container '$id' does not exist: No such file or directory" exec "$id" /bin/true
refused "pid file that cannot be" "--pid-file /nowhere/pid: No such file or directory" run --bundle "$bundle" --pid-file /nowhere/pid "$id"
refused "console socket without terminal" "but process.terminal is not set" create --bundle "$bundle" --console-socket /nowhere "$id"
sed -i 's/"terminal": false/"terminal": true/' "$bundle/config.json"
refused "no terminal to give" "process.terminal is set, but standard input is not a terminal" run --bundle "$bundle" "$id"
refused "console socket missing" "--console-socket is needed when detached" create --bundle "$bundle" "$id"
refused "console socket not there" "--console-socket '/nowhere': No such file or directory" create --bundle "$bundle" --console-socket /nowhere "$id"

# --- a container that is there --------------------------------------------------------------
cp "$work/good.json" "$bundle/config.json"
if run create --bundle "$bundle" "$id" 2>"$work/err"; then ok; else bad "create: $(cat "$work/err")"; fi
before_empty=$before
before=$(traces)
refused "id taken" "run: container id '$id' is taken: File exists" run --bundle "$bundle" "$id"
refused "exec before start" "must be running: Invalid argument" exec "$id" /bin/true
refused "unknown signal" "kill: unknown signal 'FOO'" kill "$id" FOO
refused "exec of nothing" "exec: too few arguments: neither a command nor --process" exec "$id"
refused "exec with a broken process" "not valid JSON: line 1, column 5: '[' or '{' expected near 'hello'" exec --process <(echo hello) "$id"
before=$before_empty
if run delete --force "$id"; then ok; else bad "delete --force"; fi
nothing_left "delete --force"

# --- killed at any instant --------------------------------------------------------------------
for ms in 0 1 2 3 4 6 8 10 15 20; do
	run run --bundle "$bundle" "$id" >/dev/null 2>&1 &
	sleep "0.0$(printf %02d $ms)"
	pkill -KILL -f "$launcher --root $work/state run" || true
	wait $! 2>/dev/null
	if run delete --force "$id" 2>"$work/err"; then ok; else bad "delete --force after a kill: $(cat "$work/err")"; fi
	nothing_left "launcher killed after $ms ms"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
