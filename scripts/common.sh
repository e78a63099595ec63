# common.sh - what the scripts share; sourced with $top set to the tree's root.

BUILD_PACKAGES="gcc make pkg-config libevent-dev libseccomp-dev libcap-dev libmsgpack-dev libjansson-dev libbsd-dev libsystemd-dev libc6-dev"
TEST_PACKAGES="check debootstrap procps util-linux strace python3"
# container engines; their tests are skipped without
ENGINE_PACKAGES="containerd docker.io runc tini containernetworking-plugins busybox-static python3-grpcio podman crun uidmap catatonit slirp4netns"
# what the Debian tree of the integration tests holds (the list, and node and redis)
TREE_PACKAGES="python3,gcc,libc6-dev,git,sqlite3,perl,xz-utils,zstd,make,openssl,procps"
TREE_MORE="nodejs redis-server"
TREE=${REDOUBT_TEST_TREE:-/var/tmp/redoubt-tree}

# pyenv's python3 is a shell script that finds out each time which one is meant (150 ms); the tests start it
# a thousand times: found out once
case $(command -v python3) in
*/shims/*) PATH=$(python3 -c 'import os, sys; print(os.path.dirname(sys.executable))'):$PATH && export PATH ;;
esac

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# install_missing PACKAGE... : installs what is not there, if we may
install_missing() {
	missing=
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || die "these packages are missing:$missing (install them as root, or run this as root)"
	say "installing:$missing"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null; } ||
		die "could not install:$missing"
}

# install_engines : those too, but where a service manager would start their daemons:
# a test must not change how somebody's machine works
install_engines() {
	if [ "$(id -u)" != 0 ] || [ -d /run/systemd/system ]; then
		say "the tests of container engines run with what is installed of: $ENGINE_PACKAGES"
		return
	fi
	# shellcheck disable=SC2086
	(install_missing $ENGINE_PACKAGES) || say "without them the tests of container engines are skipped"
}

debian_mirror() {
	awk '/^URIs:/ && $2 !~ /security/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources 2>/dev/null ||
		awk '$1 == "deb" && $2 !~ /security/ { print $2; exit }' /etc/apt/sources.list
}

# debian_tree: makes the Debian tree that the integration tests run, once
debian_tree() {
	[ -e "$TREE/.complete" ] && return 0
	rm -rf "$TREE"
	say "making a Debian tree in $TREE"
	debootstrap --variant=minbase --include="$TREE_PACKAGES" bookworm "$TREE" "$(debian_mirror)" >"$TREE.log" 2>&1 ||
		{ tail -5 "$TREE.log" >&2; die "debootstrap failed (log: $TREE.log)"; }
	cp /etc/apt/sources.list.d/debian.sources "$TREE/etc/apt/sources.list.d/" 2>/dev/null && : >"$TREE/etc/apt/sources.list"
	cp /etc/resolv.conf "$TREE/etc/resolv.conf" 2>/dev/null
	# shellcheck disable=SC2086
	{ chroot "$TREE" apt-get update -qq && DEBIAN_FRONTEND=noninteractive chroot "$TREE" apt-get install -y -qq --no-install-recommends $TREE_MORE; } \
		>>"$TREE.log" 2>&1 || die "installing $TREE_MORE in the tree failed (log: $TREE.log)"
	chroot "$TREE" apt-get clean
	touch "$TREE/.complete"
}
