"""cri.py - speaks the Kubernetes container runtime interface to containerd, as
a kubelet does, without its generated stubs: requests are written as nested
lists of (field number, value), answers are read as {number: [values]}.

    cri = Cri("/run/containerd/containerd.sock")
    pod = cri.run_pod("web", handler="redoubt")

Needs python3-grpcio.  Field numbers are those of k8s.io/cri-api, runtime/v1.
"""
import grpc


def varint(n):
    out = bytearray()
    n &= (1 << 64) - 1
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def encode(fields):
    """Integers are varints; text, bytes and lists (messages) are length-delimited."""
    out = b""
    for number, value in fields:
        if isinstance(value, (bool, int)):
            out += varint(number << 3) + varint(int(value))
            continue
        data = encode(value) if isinstance(value, list) else value.encode() if isinstance(value, str) else value
        out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def decode(data):
    """One level: a message's own bytes are decoded by who knows that they are one."""
    out, at = {}, 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            b = data[at]
            at += 1
            n |= (b & 127) << shift
            shift += 7
            if b < 128:
                return n

    while at < len(data):
        key = number()
        if key & 7 == 0:
            value = number()
        elif key & 7 == 2:
            n = number()
            value = data[at:at + n]
            at += n
        else:
            raise ValueError(f"wire type {key & 7}")
        out.setdefault(key >> 3, []).append(value)
    return out


def one(message, number, default=0):
    return message.get(number, [default])[0]


def pairs(number, table):
    """A map field."""
    return [(number, [(1, k), (2, v)]) for k, v in (table or {}).items()]


class Cri:
    STATES = ("created", "running", "exited", "unknown")
    POD, CONTAINER, NODE = 0, 1, 2  # namespace modes

    def __init__(self, socket, timeout=60):
        self.channel = grpc.insecure_channel(f"unix://{socket}")
        self.timeout = timeout
        self.pods = {}

    def ask(self, method, fields, service="RuntimeService"):
        call = self.channel.unary_unary(f"/runtime.v1.{service}/{method}", request_serializer=encode, response_deserializer=decode)
        try:
            return call(fields, timeout=self.timeout)
        except grpc.RpcError as e:
            raise RuntimeError(e.details()) from None

    # --- pods -----------------------------------------------------------------------
    def run_pod(self, name, handler="", network=NODE, pid=CONTAINER, logs="/", annotations=None, cgroup="/redoubt-cri"):
        namespaces = [(1, network), (2, pid)]
        config = [(1, [(1, name), (2, f"uid-{name}"), (3, "test")]), (2, name), (3, logs), *pairs(6, {"app": name}), *pairs(7, annotations),
                  (8, [(1, cgroup), (2, [(1, namespaces)])])]
        pod = one(self.ask("RunPodSandbox", [(1, config), (2, handler)]), 1).decode()
        self.pods[pod] = config, namespaces
        return pod

    def pod_ready(self, pod):
        return one(decode(one(self.ask("PodSandboxStatus", [(1, pod)]), 1)), 3) == 0

    def stop_pod(self, pod):
        self.ask("StopPodSandbox", [(1, pod)])

    def remove_pod(self, pod):
        self.ask("RemovePodSandbox", [(1, pod)])

    def pod_address(self, pod):
        status = decode(one(self.ask("PodSandboxStatus", [(1, pod)]), 1))
        return one(decode(one(status, 5, b"")), 1, b"").decode()

    def count(self):
        """(pods, containers)"""
        return tuple(len(self.ask(f"List{what}", []).get(1, [])) for what in ("PodSandbox", "Containers"))

    # --- containers -------------------------------------------------------------------
    def create(self, pod, name, image, command, env=None, mounts=(), log="", memory=0, annotations=None, tty=False):
        config, namespaces = self.pods[pod]
        container = [(1, [(1, name)]), (2, [(1, image)]), *((3, c) for c in command), *pairs(6, env),
                     *((7, [(1, inside), (2, outside), (3, readonly)]) for outside, inside, readonly in mounts),
                     *pairs(10, annotations), (11, log), (14, tty), (15, [(1, [(4, memory)]), (2, [(3, namespaces)])])]
        return one(self.ask("CreateContainer", [(1, pod), (2, container), (3, config)]), 1).decode()

    def start(self, container):
        self.ask("StartContainer", [(1, container)])

    def status(self, container):
        """(state, exit code)"""
        status = decode(one(self.ask("ContainerStatus", [(1, container)]), 1))
        return self.STATES[one(status, 3)], one(status, 7)

    def reason(self, container):
        return one(decode(one(self.ask("ContainerStatus", [(1, container)]), 1)), 10, b"").decode()

    def exec(self, container, command, timeout=30):
        """(exit code, standard output, standard error)"""
        r = self.ask("ExecSync", [(1, container), *((2, c) for c in command), (3, timeout)])
        return one(r, 3), one(r, 1, b"").decode(), one(r, 2, b"").decode()

    def cpu_used(self, container):
        """ns, or None if that is not told."""
        stats = decode(one(self.ask("ContainerStats", [(1, container)]), 1))
        cpu = decode(one(stats, 2, b""))
        return one(decode(one(cpu, 2)), 1) if 2 in cpu else None

    def update(self, container, memory):
        self.ask("UpdateContainerResources", [(1, container), (2, [(4, memory)])])

    def stop(self, container, timeout=10):
        self.ask("StopContainer", [(1, container), (2, timeout)])

    def remove(self, container):
        self.ask("RemoveContainer", [(1, container)])
