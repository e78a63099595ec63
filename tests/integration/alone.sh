# alone.sh - what a test leaves behind; sourced before lib.sh, with $top set.
#
# The script that sources it is started anew in pid, mount, net and ipc namespaces
# with /tmp, /run and /dev/shm of its own: every process, mount, socket and file that is
# there at the end is the test's own doing.  Needs root.

if [ -z "${REDOUBT_ALONE-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "0 passed, 0 failed, 1 skipped"; exit 0; }
	export REDOUBT_ALONE=1
	exec unshare --mount --pid --net --ipc --fork --kill-child --mount-proc "$0" "$@"
fi
case $top:${LAUNCHER-} in
/tmp/* | *:/tmp/*) places= ;; # what is tested lies there
*) mount -t tmpfs tmpfs /tmp && places=/tmp ;;
esac
mount -t tmpfs tmpfs /dev/shm
umount -R -l /run/netns 2>/dev/null # another test's, which go here too when it removes them there
mount -t tmpfs tmpfs /run
ip link set lo up 2>/dev/null

# snapshot : what there is, a line each; call it in the script's own shell
snapshot() {
	for p in /proc/[0-9]*; do
		p=${p#/proc/}
		[ "$p" = $$ ] && continue
		state=$(sed 's/.*) \(.\) .*/\1/' "/proc/$p/stat" 2>/dev/null)
		[ -n "$state" ] && echo "process $state $(tr '\0' ' ' 2>/dev/null <"/proc/$p/cmdline" | cut -c1-100)$(readlink "/proc/$p/exe")"
	done
	# those of another test that runs beside us go when it likes
	sed 's/^[0-9]* [0-9]* [^ ]* /mount /' /proc/self/mountinfo | awk -v own="${SCRATCH:-/nowhere}" '!/\/redoubt-it\./ || index($0, own)'
	awk 'NR > 1 { print "socket", $NF }' /proc/net/unix | sort | uniq -c
	# shellcheck disable=SC2086
	find $places /dev/shm /run "${STATE:-/nowhere}" -mindepth 1 -maxdepth 2 2>/dev/null | grep -v "^${SCRATCH:-/nowhere}/[^/]*$" | sort
	find /sys/fs/cgroup -maxdepth 3 -type d -iname "*redoubt*" 2>/dev/null | awk -v own="${SCRATCH##*.}" '!/redoubt-it-kill-/ || index($0, own)'
	awk 'NR > 1 { print "shm", $2 }' /proc/sysvipc/shm
}

# left_behind NAME BEFORE : compares with a snapshot made before; the dead need a moment
left_behind() {
	left_was=$2
	until_true 'snapshot >"$SCRATCH/after"; cmp -s "$left_was" "$SCRATCH/after"' && { ok "$1: nothing is left behind"; return; }
	not_ok "$1: nothing is left behind" "$(diff "$2" "$SCRATCH/after" | grep '^[<>]' | head -8)"
}
