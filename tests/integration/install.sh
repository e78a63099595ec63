#!/bin/bash
# install.sh - install and uninstall write engines' configurations that the
# engines themselves read (those that are installed here).
# usage: install.sh [LAUNCHER]
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"

run() { "$LAUNCHER" "$@" >"$SCRATCH/out" 2>"$SCRATCH/err"; }
real=$(realpath "$LAUNCHER")

# --- a file's life -------------------------------------------------------------------------
f=$SCRATCH/deep/er/daemon.json
run install --engine docker --config "$f"
is "install makes the file, and says what to do" "$? $(cat "$SCRATCH/out")" "0 $f: the runtime 'redoubt' is $real; systemctl reload docker"
run install --engine docker --config "$f"
is "install again" "$? $(cat "$SCRATCH/out")" "0 $f: nothing to change"
run uninstall --engine docker --config "$f"
is "uninstall takes away what it made" "$? $(ls "$SCRATCH/deep/er")" "0 "
run uninstall --engine docker --config "$f"
is "uninstall of nothing" "$? $(cat "$SCRATCH/err")" "1 redoubt: uninstall: $f: the runtime 'redoubt': No such file or directory"
f=$SCRATCH/daemon.json
echo '{"debug": true}' >"$SCRATCH/elsewhere"
ln -s elsewhere "$f"
chmod 600 "$SCRATCH/elsewhere"
run install --engine docker --config "$f" --name other --path /opt/launcher
is "the file behind a link, with its mode" "$? $(stat -c %a "$SCRATCH/elsewhere") $(tr -d ' \n' <"$f")" '0 600 {"debug":true,"runtimes":{"other":{"path":"/opt/launcher"}}}'
echo '{' >"$SCRATCH/elsewhere"
run install --engine docker --config "$f"
is "a broken file is left alone" "$? $(cat "$f")" "1 {"
for bad in "" "--engine x" "--engine docker --name A" "--engine docker --path x" "--engine docker --config /dev/null"; do
	# shellcheck disable=SC2086
	run install $bad
	is "refused: install $bad" "$? $(wc -l <"$SCRATCH/err")" "1 1"
done
if [ "$(id -u)" = 0 ]; then
	mkdir "$SCRATCH/home"
	chmod 755 "$SCRATCH"
	chmod 777 "$SCRATCH/home"
	cp "$real" "$SCRATCH/launcher"
	user() { HOME=$SCRATCH/home setpriv --reuid 65534 --regid 65534 --clear-groups "$SCRATCH/launcher" "$@" >"$SCRATCH/out" 2>"$SCRATCH/err"; }
	user install --engine podman
	is "a user's own podman" "$? $(grep -c "$SCRATCH/launcher" "$SCRATCH/home/.config/containers/containers.conf.d/redoubt.conf")" "0 1"
	user install --engine docker
	is "a user's docker" "$? $(cat "$SCRATCH/err")" "1 redoubt: install: docker's configuration is root's: Operation not permitted"
fi

# --- what the engines read --------------------------------------------------------------------
if command -v podman >/dev/null; then
	printf '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n' >"$SCRATCH/containers.conf"
	run install --engine podman --config "$SCRATCH/containers.conf"
	is "podman" "$(CONTAINERS_CONF=$SCRATCH/containers.conf timeout 60 podman --root "$SCRATCH/store" --runroot "$SCRATCH/run" --storage-driver vfs --runtime redoubt info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}' 2>"$SCRATCH/err")" "redoubt $real"
else
	skip podman "podman is not installed"
fi
if command -v containerd >/dev/null; then
	printf 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n  sandbox_image = "pause:1"\n' >"$SCRATCH/config.toml"
	run install --engine containerd --config "$SCRATCH/config.toml"
	is "containerd" "$(containerd --config "$SCRATCH/config.toml" config dump 2>"$SCRATCH/err" | grep -c -e "BinaryName = \"$real\"" -e 'sandbox_image = "pause:1"')" 2
	run uninstall --engine containerd --config "$SCRATCH/config.toml"
	is "containerd, without again" "$(containerd --config "$SCRATCH/config.toml" config dump 2>"$SCRATCH/err" | grep -c "$real")" 0
else
	skip containerd "containerd is not installed"
fi
finish
