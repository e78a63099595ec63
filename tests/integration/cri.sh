#!/bin/bash
# cri.sh - Kubernetes pods: containerd's CRI, asked as a kubelet asks it, with the
# launcher as the runtime; several containers in one sandbox.
# usage: cri.sh [LAUNCHER]; needs containerd, busybox, python3-grpcio, a compiler
# (skipped without); containernetworking-plugins for a pod with an address.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
. "$top/tests/integration/engines.sh"
need_engine cri containerd ctr cc busybox
$PYTHON -c 'import grpc' 2>/dev/null || { skip cri "python3-grpcio is not installed"; finish; exit; }
# the engine has a network of its own, with its bridge, where it may make one
N=rdR$$ server=
ip netns add "$N" 2>/dev/null && ip -n "$N" link set lo up || N=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; stop_daemons; cleanup; [ -z "$N" ] || ip netns del "$N"' EXIT

mkdir -p "$SCRATCH/cni" "$SCRATCH/logs" "$SCRATCH/volume"
if [ -n "$N" ] && [ -x /usr/lib/cni/bridge ] && [ -x /usr/lib/cni/loopback ]; then
	cat >"$SCRATCH/cni/10-test.conflist" <<J
{"cniVersion": "0.4.0", "name": "redoubt-test", "plugins": [
  {"type": "bridge", "bridge": "cni-redoubt0", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$SCRATCH/addresses", "routes": [{"dst": "0.0.0.0/0"}], "subnet": "10.231.7.0/24"}}]}
J
	nsenter --net=/run/netns/$N $PYTHON -c 'import socket
s = socket.create_server(("0.0.0.0", 9000))
while True:
    c, a = s.accept()
    c.sendall(("word to %s\n" % a[0]).encode())
    c.close()' >"$SCRATCH/serve" 2>&1 &
	server=$!
elif [ -x /usr/lib/cni/ptp ] && [ -x /usr/lib/cni/loopback ]; then
	cat >"$SCRATCH/cni/10-test.conflist" <<J
{"cniVersion": "0.4.0", "name": "redoubt-test", "plugins": [
  {"type": "ptp", "ipam": {"type": "host-local", "dataDir": "$SCRATCH/addresses", "subnet": "10.231.7.0/24"}}]}
J
fi
# shellcheck disable=SC2086
make_image && make_pause && start_containerd ${N:+nsenter --net=/run/netns/$N} && for i in image pause; do
	ctr -n k8s.io image import --snapshotter native "$SCRATCH/$i.tar" >"$SCRATCH/out" 2>"$SCRATCH/err" || break
done || { not_ok "set-up" "$(cat "$SCRATCH/err")"; finish; exit 1; }

$PYTHON - "$CONTAINERD_ADDRESS" "$IMAGE" "$SCRATCH" "$top/tests/integration" "${server:+$N}" >"$SCRATCH/results" 2>"$SCRATCH/err" <<'PY'
import os, subprocess, sys, time
socket, image, scratch = sys.argv[1:4]
bridge = sys.argv[5]  # where there is one: a network namespace's name
sys.path.insert(0, sys.argv[4])
from cri import Cri
cri = Cri(socket)

def check(name, got, wanted):
    print(f"{name}\t{'ok' if got == wanted else f'got {got!r}, wanted {wanted!r}'}", flush=True)

def wait_for(fn, wanted):
    end = time.monotonic() + 30
    while (got := fn()) != wanted and time.monotonic() < end: time.sleep(0.1)
    return got

def sh(container, text):
    return cri.exec(container, ["sh", "-c", text])

# --- two containers in one sandbox -----------------------------------------------------
pod = cri.run_pod("one", logs=f"{scratch}/logs")
check("a pod", cri.pod_ready(pod), True)
volume = [(f"{scratch}/volume", "/v", False)]
a = cri.create(pod, "a", image, ["sh", "-c", "echo of-a >/tmp/own; echo shared >/v/file; echo to-log; echo to-err >&2; nc -l -p 8080 -e echo hello; exit 3"],
               env={"WORD": "x"}, mounts=volume, log="a.log", memory=1 << 27)
check("created", cri.status(a), ("created", 0))
cri.start(a)
check("started", cri.status(a), ("running", 0))
b = cri.create(pod, "b", image, ["sleep", "1000"], mounts=volume, log="b.log")
cri.start(b)
check("a second container has its own files", sh(b, "cat /tmp/own 2>/dev/null; echo $?"), (0, "1\n", ""))
check("... its own processes", sh(b, "cat /proc/1/cmdline | tr '\\0' ' '; ps -o args | grep -c [n]c"), (1, "sleep 1000 0\n", ""))
check("... the pod's name", sh(b, "hostname"), (0, "one\n", ""))
check("a shared volume", (wait_for(lambda: sh(b, "cat /v/file")[1], "shared\n"), open(f"{scratch}/volume/file").read()), ("shared\n", "shared\n"))
check("they meet on the loopback", wait_for(lambda: sh(b, "nc 127.0.0.1 8080"), (0, "hello\n", "")), (0, "hello\n", ""))
check("the first's exit status", wait_for(lambda: cri.status(a), ("exited", 3)), ("exited", 3))
logged = ["stderr F to-err\n", "stdout F to-log\n"]
check("its log", wait_for(lambda: sorted(line.split(" ", 1)[1] for line in open(f"{scratch}/logs/a.log")), logged), logged)
check("the second goes on", (cri.status(b), cri.pod_ready(pod)), (("running", 0), True))
check("exec", sh(b, "echo out; echo err >&2; exit 4"), (4, "out\n", "err\n"))
try:
    cri.exec(b, ["/nothing"])
    failure = "none"
except RuntimeError as e:
    failure = str(e)
check("exec of no program", 'exec: "/nothing": no such file or directory' in failure, True)
check("its use of the processor is told", cri.cpu_used(b) is not None, True)
cri.update(b, 200 << 20)
check("update", cri.status(b), ("running", 0))
cri.remove(a)
a = cri.create(pod, "a2", image, ["sh", "-c", "trap 'exit 6' TERM; while :; do sleep 0.1; done"], log="a2.log", tty=True)
cri.start(a)
check("a third, with a terminal", sh(a, "readlink /proc/1/fd/0"), (0, "/dev/pts/0\n", ""))
sh(a, "until [ $((0x$(sed -n 's/^SigCgt:.//p' /proc/1/status) & 0x4000)) != 0 ]; do sleep 0.05; done")  # the trap is set
cri.stop(a)
check("stop", cri.status(a), ("exited", 6))
cri.stop(b, 0)
check("stop at once", cri.status(b), ("exited", 137))
c = cri.create(pod, "c", image, ["sh", "-c", "tail /dev/zero"], memory=1 << 25)
cri.start(c)
check("more than its memory", (wait_for(lambda: cri.status(c), ("exited", 137)), wait_for(lambda: cri.reason(c), "OOMKilled")), (("exited", 137), "OOMKilled"))
check("... is told of that one alone", cri.reason(b), "Error")
cri.remove(c)
cri.remove(a)
cri.remove(b)
cri.stop_pod(pod)
check("the pod has stopped", cri.pod_ready(pod), False)
cri.remove_pod(pod)
check("all is removed", cri.count(), (0, 0))

# --- one family of processes, an address, a sudden end -------------------------------------
addressed = os.path.exists(f"{scratch}/cni/10-test.conflist")
pod = cri.run_pod("two", network=Cri.POD if addressed else Cri.NODE, pid=Cri.POD)
if addressed:
    check("a pod with an address", cri.pod_address(pod).startswith("10.231.7."), True)
a = cri.create(pod, "a", image, ["sleep", "1000"])
b = cri.create(pod, "b", image, ["sleep", "2000"])
cri.start(a)
cri.start(b)
check("shared processes", sh(b, "ps -o args | grep -E '^(/pause|sleep)' | sort | tr '\\n' ' '"), (0, "/pause sleep 1000 sleep 2000 ", ""))
cri.stop_pod(pod)
check("stopping the pod stops all", (wait_for(lambda: cri.status(a)[0], "exited"), wait_for(lambda: cri.status(b)[0], "exited")), ("exited", "exited"))
cri.remove_pod(pod)
check("removing it removes all", cri.count(), (0, 0))

# --- a bridge --------------------------------------------------------------------------------
if bridge:
    def ask(address):
        text = f"import socket; print(socket.create_connection(('{address}', 8080), 20).makefile().readline().strip())"
        return subprocess.run(["nsenter", f"--net=/run/netns/{bridge}", sys.executable, "-c", text], capture_output=True, text=True, timeout=60).stdout
    pods = []
    for name in ("three", "four"):
        pod = cri.run_pod(name, network=Cri.POD)
        a = cri.create(pod, "a", image, ["sh", "-c", "exec nc -ll -p 8080 -e echo hello of $(hostname)"])
        b = cri.create(pod, "b", image, ["sleep", "1000"])
        cri.start(a)
        cri.start(b)
        pods.append((pod, a, b, cri.pod_address(pod)))
    for (pod, a, b, own), (_, _, _, other), name, far in (pods[0], pods[1], "three", "four"), (pods[1], pods[0], "four", "three"):
        check(f"pod {name}: a connection from the host", wait_for(lambda: ask(own), f"hello of {name}\n"), f"hello of {name}\n")
        check(f"pod {name}: a connection to the host", sh(b, "nc 10.231.7.1 9000"), (0, f"word to {own}\n", ""))
        check(f"pod {name}: to the other pod", wait_for(lambda: sh(b, f"nc {other} 8080"), (0, f"hello of {far}\n", "")), (0, f"hello of {far}\n", ""))
        check(f"pod {name}: one network for both containers", sh(b, "nc 127.0.0.1 8080"), (0, f"hello of {name}\n", ""))
    for pod, *_ in pods:
        cri.stop_pod(pod)
        cri.remove_pod(pod)
    check("a bridge: all is removed", cri.count(), (0, 0))
else:
    print("a bridge\tskipped")
print("end\tok")
PY
while IFS=$'\t' read -r name result; do
	if [ "$result" = ok ]; then ok "$name"; elif [ "$result" = skipped ]; then skip "$name" "no network namespace, or containernetworking-plugins are not installed"; else not_ok "$name" "$result"; fi
done <"$SCRATCH/results"
is "to the end" "$(tail -1 "$SCRATCH/results" | cut -f1)" end
for pod in $(ctr -n k8s.io container ls -q); do ctr -n k8s.io task rm --force "$pod"; ctr -n k8s.io container rm "$pod"; done >"$SCRATCH/out" 2>&1
until_true '[ -z "$(ls /run/containerd/runc/k8s.io 2>/dev/null)" ]'
is "no sandbox is left" "$(ls /run/containerd/runc/k8s.io 2>/dev/null)" ""
finish
