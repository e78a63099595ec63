#!/bin/sh
# tools.sh - ipcctl and ipcwire from a shell, against a gofer.
#
#   tools.sh DIRECTORY     that holds libipc/ipcctl, libipc/ipcwire, gofer/gofer (default: $REDOUBT_BIN, or the tree)
#
# Each check prints nothing when it holds; the last line counts.
set -u
bin=${1:-${REDOUBT_BIN:-$(dirname "$0")/../../..}}
bin=$(cd "$bin" && pwd)
PATH=$bin/libipc:$bin/gofer:$PATH
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0 checks=0
mkdir -p "$tmp/root/etc"
echo hello >"$tmp/root/etc/f"
spawn="gofer --root $tmp/root --ipc-fd {fd}"

# expect WHAT STATUS PATTERN COMMAND...: its status and (a shell pattern) its output
expect() {
	what=$1 status=$2 pattern=$3
	shift 3
	checks=$((checks + 1))
	out=$(timeout 20 "$@" 2>&1)
	got=$?
	# shellcheck disable=SC2254 # a pattern is meant
	case $out in
	$pattern) [ "$got" -eq "$status" ] && return ;;
	esac
	failed=$((failed + 1))
	printf 'not ok %s: status %s, not %s; output:\n%s\nnot like: %s\n' "$what" "$got" "$status" "$out" "$pattern"
}

# --- ipcctl ---
expect 'attach' 0 '{"root":{"node":1,*},"read_only":false}' ipcctl --spawn "$spawn" attach '{"tree":0}'
expect 'several requests' 0 '{"root":*"node":3*"error":0,"target":""}
{"attr":{*}}' ipcctl --spawn "$spawn" attach '{"tree":0}' walk '{"dir":1,"names":["etc","f"]}' getattr '{"node":3}'
expect 'the content of a descriptor' 0 'hello' ipcctl --spawn "$spawn" --quiet --cat-fd fd attach '{"tree":0}' \
	walk '{"dir":1,"names":["etc","f"]}' open '{"node":3,"flags":0}'
expect 'an error' 1 '{"error":{"errno":"EBADF",*}}' ipcctl --spawn "$spawn" getattr '{"node":99}'
expect 'unknown method' 2 "ipcctl: no protocol has a method 'nosuch'" ipcctl --spawn "$spawn" nosuch '{}'
expect 'method of another protocol' 2 "ipcctl: gofer has no method 'start'" ipcctl --spawn "$spawn" gofer start '{}'
expect 'missing field' 2 'ipcctl: walk.names: missing' ipcctl --spawn "$spawn" walk '{"dir":1}'
expect 'surplus field' 2 "ipcctl: attach: there is no field 'x'" ipcctl --spawn "$spawn" attach '{"tree":0,"x":1}'
expect 'broken JSON' 2 'ipcctl: attach: not JSON: *' ipcctl --spawn "$spawn" attach '{"tree"'
expect 'too large a number' 2 'ipcctl: attach.tree: 5000, at most 1023' ipcctl --spawn "$spawn" attach '{"tree":5000}'
expect 'surplus descriptor' 1 '{"error":{"errno":"EPROTO","text":"attach: 1 descriptors, must be 0"}}' \
	ipcctl --spawn "$spawn" --surplus-fd 0 attach '{"tree":0}'
expect 'raw: unknown method' 1 '{"error":{"errno":"ENOSYS",*}}' ipcctl --spawn "$spawn" --raw 95010007cd03e890
expect 'raw: truncated frame' 1 '*connection closed*' ipcctl --spawn "$spawn" --raw 9501
expect 'raw: a body that is cut' 1 '{"error":{"errno":"EPROTO",*}}' ipcctl --spawn "$spawn" --raw 950100070292
expect 'a command that ends at once' 1 '*connection closed*' ipcctl --spawn 'true {fd}' attach '{"tree":0}'
expect 'a command that is not there' 1 '*not found*' ipcctl --spawn 'nosuchcommand {fd}' attach '{"tree":0}'
expect 'no such socket' 2 "ipcctl: $tmp/none: No such file or directory" ipcctl --connect "$tmp/none" attach
expect 'no connection' 2 "ipcctl: 'attach': name the connection first*" ipcctl attach
expect 'timeout' 1 '{"error":{"errno":"ETIMEDOUT",*' ipcctl --spawn 'sleep 3 # {fd}' --timeout 0.1 attach '{"tree":0}'
expect 'schema' 0 '# The gofer protocol*### walk*' ipcctl schema gofer
expect 'schema of nothing' 2 'ipcctl: schema: no such protocol: nosuch' ipcctl schema nosuch
cat >"$tmp/talk" <<-END
	attach {"tree":0}
	# a comment

	walk {"dir":1,"names":["etc","f"]}
	open {"node":3,"flags":2}
	!cat 4
	nosuch
	!nosuch 1
	--raw 95010007cd03e890
	!stat 4
END
expect 'a conversation' 1 '*"data":"hello\\n"*EINVAL*EINVAL*ENOSYS*"size":6*' sh -c "ipcctl --spawn '$spawn' gofer - <$tmp/talk"

# --- ipcwire ---
expect 'a wire' 0 '{"root":*' ipcwire "gofer --root $tmp/root --ipc-fd {fs}" 'ipcctl --fd {fs} attach '\''{"tree":0}'\'
expect 'the foreground status' 3 '' ipcwire "gofer --root $tmp/root --ipc-fd {fs}" "sh -c 'exit 3' {fs}"
expect 'a signal' 143 '' ipcwire "sleep 100 {a}" "sh -c 'kill -TERM \$\$' {a}"
expect 'one end only' 2 "ipcwire: '{a}' stands in one command only: 'x {a}'" ipcwire 'x {a}' true
expect 'three ends' 2 "ipcwire: '{a}' stands in more than two commands" ipcwire 'x {a}' 'y {a}' 'z {a}'
expect 'no command' 2 'usage: ipcwire*' ipcwire
expect 'standard input is the foreground one'\''s' 0 'in' sh -c "echo in | ipcwire 'cat; sleep 0 {a}' 'cat # {a}'"

for tool in ipcctl ipcwire; do
	expect "$tool --version" 0 "$tool *" $tool --version
	expect "$tool --help" 0 "usage: $tool*" $tool --help
	expect "$tool --print-policy" 0 "component $tool*unconfined*" $tool --print-policy
done
echo "$((checks - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
