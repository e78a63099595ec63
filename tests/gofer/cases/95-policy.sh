# what --print-policy says is what /proc shows
bits() { # capability names: the mask as /proc prints it
	local c m=0
	for c in "$@"; do
		case $c in
		cap_chown) m=$((m | 1 << 0)) ;;
		cap_dac_override) m=$((m | 1 << 1)) ;;
		cap_dac_read_search) m=$((m | 1 << 2)) ;;
		cap_fowner) m=$((m | 1 << 3)) ;;
		cap_fsetid) m=$((m | 1 << 4)) ;;
		cap_mknod) m=$((m | 1 << 27)) ;;
		none) ;;
		*) not_ok "unknown capability $c" ;;
		esac
	done
	printf '%016x' $m
}
status() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status"; }
inner() { # the process that serves: ipcctl's grandchild, or child if it needed no fork
	local p=$1 c
	while c=$(cat "/proc/$p/task/$p/children" 2>/dev/null) && [ -n "$c" ]; do p=${c%% *}; done
	echo "$p"
}
# Every widening shows in the diff of this file.  (fchmodat2 or fchmod: by the host's kernel.)
is "the policy in full is the expected one" "$("$GOFER" --listen x --host-uds=create --allow-mknod --print-policy | sed '/^# for the sanitizer/,$d' | grep -v '^allow fchmod')" \
	"$(cat "$here/policy.expected")"
for options in "" "--host-uds=create" "--allow-mknod"; do
	if ((!is_root)) && [ "$options" = --host-uds=create ]; then continue; fi
	start $options
	pid=$(inner "$ctl_pid")
	policy=$("$GOFER" $options --print-policy)
	is "policy $options: component" "$(printf '%s\n' "$policy" | head -1)" "component gofer"
	caps=$(bits $(printf '%s\n' "$policy" | sed -n 's/^capabilities //p'))
	is "policy $options: effective" "$(status CapEff)" "$caps"
	is "policy $options: permitted" "$(status CapPrm)" "$caps"
	is "policy $options: bounding" "$(status CapBnd)" 0000000000000000
	is "policy $options: inheritable" "$(status CapInh)" 0000000000000000
	is "policy $options: ambient" "$(status CapAmb)" 0000000000000000
	is "policy $options: filter" "$(status Seccomp)" 2
	is "policy $options: no new privileges" "$(status NoNewPrivs)" 1
	is "policy $options: threads" "$(status Threads)" 1
	is "policy $options: user" "$(status Uid | cut -f2)" "$EUID"
	for ns in $(printf '%s\n' "$policy" | sed -n 's/^namespaces //p'); do
		true_that "policy $options: own $ns namespace" [ "$(readlink "/proc/$pid/ns/$ns")" != "$(readlink "/proc/self/ns/$ns")" ]
	done
	is "policy $options: root" "$(printf '%s\n' "$policy" | sed -n 's/^root //p')" "empty, read-only"
	is "policy $options: mounts" "$(wc -l <"/proc/$pid/mounts")" 1
	true_that "policy $options: root is read-only" grep -q '^none / tmpfs ro,\|^tmpfs / tmpfs ro,' "/proc/$pid/mounts"
	is "policy $options: core files" "$(sed -n 's/^Max core file size *//p' "/proc/$pid/limits" | cut -d' ' -f1)" 0
	is "policy $options: processes" "$(sed -n 's/^Max processes *//p' "/proc/$pid/limits" | cut -d' ' -f1)" 0
	calls=$(printf '%s\n' "$policy" | sed '/^# for the sanitizer/,$d' | grep -c '^allow')
	true_that "policy $options: at most 40 calls ($calls)" [ "$calls" -le 40 ]
	is "policy $options: every call has a reason" "$(printf '%s\n' "$policy" | grep '^allow' | grep -vc ' # ..*')" 0
	if ((is_root)); then # else /proc does not let us look
		is "policy $options: root is empty" "$(ls -A "/proc/$pid/root/")" ""
		# nothing open but the socket, the loop (three), the root, the tree and the standard ones
		true_that "policy $options: descriptors" [ "$(ls "/proc/$pid/fd" | wc -l)" -le 9 ]
	fi
	# it serves in that state
	ask walk "{\"dir\":$root,\"names\":[\"dir\",\"secret\"]}"; want "policy $options: serves" '"size":7'
	stop
done
