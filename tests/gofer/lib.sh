# lib.sh - the harness of tests/gofer/run: a gofer behind a conversation with
# ipcctl, questions, and checks of the answers.
top=$(cd "$here/../.." && pwd)
GOFER=$(realpath "${GOFER:-$top/gofer/gofer}")
IPCCTL=$(realpath "${IPCCTL:-$top/libipc/ipcctl}")
passed=0
failed=0
work=$(mktemp -d /tmp/gofer-test.XXXXXX) || exit 1
tree=$work/tree # what is exported
outside=$work/outside # what must never be reached
background=() # processes started by cases
is_root=$((EUID == 0))
R= # the last answer
ctl_pid= # the conversation's ipcctl
trap '' PIPE

cleanup() {
	stop
	for p in "${background[@]}"; do kill "$p" 2>/dev/null; done
	[ -n "$KEEP" ] || rm -rf "$work"
}
trap cleanup EXIT

fresh_tree() {
	rm -rf "$tree" "$outside"
	mkdir -p "$tree/dir/sub" "$outside"
	printf 'hello\n' >"$tree/file"
	printf 'inside\n' >"$tree/dir/secret"
	printf 'outside\n' >"$outside/secret"
	ln -s file "$tree/link"
	ln -s "$outside" "$tree/out"
	ln -s ../../outside/secret "$tree/dir/rel"
	mkfifo "$tree/fifo"
}

# start [gofer's options]: a gofer on $tree and a conversation with it
start() {
	stop
	# fifos, not a coprocess: those cannot be used from subshells
	rm -f "$work/in" "$work/out"
	mkfifo "$work/in" "$work/out"
	"$IPCCTL" --spawn "$GOFER --root $tree --ipc-fd {fd} $*" --timeout 20 gofer - <"$work/in" >"$work/out" 2>>"$work/log" &
	ctl_pid=$!
	exec {ctl_in}>"$work/in" {ctl_out}<"$work/out"
	ask attach '{"tree":0}'
	root=$(node)
}

stop() {
	[ -n "$ctl_pid" ] || return
	exec {ctl_in}>&- {ctl_out}<&-
	wait "$ctl_pid" 2>/dev/null
	ctl_pid=
}

# ask METHOD JSON (or any line that ipcctl understands): the answer is in R
ask() {
	R='(no answer)'
	printf '%s\n' "$*" >&"$ctl_in" 2>/dev/null && IFS= read -r -t 30 R <&"$ctl_out"
}

# node [K]: the K-th handle in R (1); field NAME: the first such number in R
node() {
	printf '%s' "$R" | grep -o '"node":[0-9]*' | sed -n "${1:-1}s/.*://p"
}
field() {
	[[ $R =~ \"$1\":(-?[0-9]+) ]] && printf '%s' "${BASH_REMATCH[1]}"
}

ok() { passed=$((passed + 1)); }
not_ok() {
	failed=$((failed + 1))
	printf 'FAILED %s: %s\n' "$current" "$1"
	[ $# -lt 2 ] || printf '    %s\n' "${@:2}"
}

# want WHAT PATTERN: R contains the (extended regular) expression and no error
want() {
	if [[ $R == *'{"error":{'* ]] || ! [[ $R =~ $2 ]]; then
		not_ok "$1" "wanted: $2" "answer: ${R:0:600}"
	else
		ok
	fi
}
# fails WHAT ERRNO
fails() {
	if [[ $R == *"{\"error\":{\"errno\":\"$2\""* ]]; then
		ok
	else
		not_ok "$1" "wanted: $2" "answer: ${R:0:600}"
	fi
}
# is WHAT GOT EXPECTED
is() {
	if [ "$2" = "$3" ]; then
		ok
	else
		not_ok "$1" "wanted: $3" "got:    ${2:0:600}"
	fi
}
# true_that WHAT COMMAND...
true_that() {
	if "${@:2}"; then
		ok
	else
		not_ok "$1" "${*:2}"
	fi
}

# walk_to NAME...: walks from the root and prints the last node's handle
walk_to() {
	local names
	names=$(printf ',"%s"' "$@")
	ask walk "{\"dir\":$root,\"names\":[${names:1}]}"
	printf '%s' "$R" | grep -o '"node":[0-9]*' | sed -n "$#s/.*://p"
}

hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }
repeat() { printf "%${2}s" '' | sed "s/ /$1/g"; }

# exchange A B: swaps two names, the second a link, again and again, in the background, until killed; it has begun
exchange() {
	perl -e 'my ($a, $b) = @ARGV; while (1) { syscall(316, -100, $a, -100, $b, 2); }' "$1" "$2" &
	background+=($!)
	disown
	swapper=$!
	for ((i = 0; i < 3000; i++)); do [ -L "$1" ] && break; sleep 0.01; done
}
