#!/usr/bin/env python3
"""network_peer.py - the other hosts of network.sh.

    serve FILE        TCP: 7001 takes all and answers its length and checksum, 7002 sends as many
                      bytes as it is told and then their checksum, 7003 echoes; UDP: 7004 echoes,
                      53 answers names.  FILE appears when it listens.
    connect IP PORT N, send IP PORT MB    as a client of what listens inside
    hostile IFACE MAC IP SEED             frames of random bytes, and packets with random changes
    wire A B LOSS     carries frames between two interfaces, losing, doubling and reordering some
    copy IP MB        as a program inside: both ways, with checksums
    ended IP PORT N                       N connections, one after another, that the other side ends first
    listen            as a program inside: 8000 echoes, 8001 takes all, 8002 ends at once; prints "ready"
"""
import hashlib, os, random, select, socket, struct, sys, threading

SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23


def digest(n, h):
    return ("%d %s" % (n, h.hexdigest())).encode()


def sink(c):
    h, n = hashlib.sha256(), 0
    while b := c.recv(1 << 18):
        h.update(b)
        n += len(b)
    c.sendall(digest(n, h))


def source(c):
    left, h, block = int(c.recv(64)), hashlib.sha256(), os.urandom(1 << 20)
    total = left
    while left:
        b = block[:min(left, len(block))]
        c.sendall(b)
        h.update(b)
        left -= len(b)
    c.sendall(digest(total, h).rjust(100))


def echo(c):
    while b := c.recv(65536):
        c.sendall(b)


def listen(port, fn):
    def one(c):
        with c:
            try:
                fn(c)
            except OSError:
                pass
    s = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256)
    while True:
        threading.Thread(target=one, args=(s.accept()[0],), daemon=True).start()


def udp(port, fn):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind(("::", port))
    while True:
        b, a = s.recvfrom(65536)
        s.sendto(fn(b), a)


def name_answer(q):
    """box.example is 192.0.2.7; nothing else is anything."""
    end = q.index(b"\0", 12) + 5
    kind, known = struct.unpack("!H", q[end - 4:end - 2])[0], q[12:end - 4].lower() == b"\3box\7example\0"
    yes = known and kind == 1
    head = q[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, yes, 0, 0)
    return head + q[12:end] + (b"\xc0\x0c" + struct.pack("!HHIH4B", 1, 1, 60, 4, 192, 0, 2, 7) if yes else b"")


def serve(ready):
    for port, fn in ((7001, sink), (7002, source), (7003, echo)):
        threading.Thread(target=listen, args=(port, fn), daemon=True).start()
    for port, fn in ((7004, lambda b: b), (53, name_answer)):
        threading.Thread(target=udp, args=(port, fn), daemon=True).start()
    for port in (7001, 7002, 7003):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                pass
    open(ready, "w").close()
    threading.Event().wait()


def end_all(port):
    s = socket.create_server(("0.0.0.0", port), backlog=256)
    while True:
        s.accept()[0].close()


def inside():
    threading.Thread(target=end_all, args=(8002,), daemon=True).start()
    for port, fn in ((8000, echo), (8001, sink)):
        threading.Thread(target=listen, args=(port, fn), daemon=True).start()
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                pass
    print("ready", flush=True)
    threading.Event().wait()


def connect(ip, port, n):
    """n connections at once, each echoed through."""
    all_ = [socket.create_connection((ip, int(port)), timeout=60) for _ in range(int(n))]
    for i, c in enumerate(all_):
        c.sendall(b"number %d" % i)
    print(sum(c.recv(100) == b"number %d" % i for i, c in enumerate(all_)))


def ended(ip, port, n):
    for i in range(int(n)):
        with socket.create_connection((ip, int(port)), timeout=60) as c:
            if c.recv(1):
                break
    print(i + 1)


def send(ip, port, mb):
    c, h, block = socket.create_connection((ip, int(port)), timeout=120), hashlib.sha256(), os.urandom(1 << 20)
    for _ in range(int(mb)):
        c.sendall(block)
        h.update(block)
    c.shutdown(socket.SHUT_WR)
    print(c.recv(200) == digest(int(mb) << 20, h))


def copy(ip, mb):
    n, block, h = int(mb) << 20, os.urandom(1 << 20), hashlib.sha256()
    c = socket.create_connection((ip, 7001))
    for _ in range(int(mb)):
        c.sendall(block)
        h.update(block)
    c.shutdown(socket.SHUT_WR)
    up = c.recv(200) == digest(n, h)
    c, h, got = socket.create_connection((ip, 7002)), hashlib.sha256(), 0
    c.sendall(b"%d" % n)
    while got < n:
        b = c.recv(min(1 << 18, n - got))
        if not b:
            break
        h.update(b)
        got += len(b)
    down = c.recv(100, socket.MSG_WAITALL).strip() == digest(n, h)
    print(up, down)


def checksum(b):
    s = sum(struct.unpack("!%dH" % (len(b) // 2), b[:len(b) // 2 * 2])) + (b[-1] << 8 if len(b) % 2 else 0)
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def hostile(iface, mac, ip, seed):
    r = random.Random(int(seed))
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((iface, 0))
    to, us = bytes.fromhex(mac.replace(":", "")), b"\x02\0\0\0\0\1"
    ip = socket.inet_aton(ip)
    for i in range(20000):
        kind = r.choice((0x0800, 0x0806, 0x86dd, 0x0800))
        body = bytearray(r.randbytes(r.choice((0, 1, 19, 20, 28, 39, 40, 54, 60, 200, 1480))))
        if kind == 0x0800 and len(body) >= 20 and r.random() < 0.9:  # a header that is right, and anything behind it
            body[0] = r.choice((0x45, 0x45, 0x46, 0x4f))
            body[2:4] = struct.pack("!H", len(body))
            body[6:8] = struct.pack("!H", r.choice((0, 0, 0x4000, 0x2000, r.getrandbits(16))))
            body[9] = r.choice((1, 6, 17, 6))
            body[12:16] = bytes((10, 77, 0, r.choice((1, 1, 3, 200))))
            body[16:20] = ip
            body[10:12] = b"\0\0"
            head = (body[0] & 15) * 4
            if head <= len(body):
                body[10:12] = struct.pack("!H", checksum(bytes(body[:head])))
            if len(body) >= head + 20 and body[9] == 6 and r.random() < 0.8:  # TCP with a right checksum, to a port that listens
                body[head + 2:head + 4] = struct.pack("!H", 8000)
                body[head + 16:head + 18] = b"\0\0"
                pseudo = bytes(body[12:20]) + struct.pack("!BBH", 0, 6, len(body) - head)
                body[head + 16:head + 18] = struct.pack("!H", checksum(pseudo + bytes(body[head:])))
            elif len(body) >= head + 8 and body[9] == 1:  # ICMP errors that quote anything
                body[head] = r.choice((3, 3, 8, 11, 5))
                body[head + 2:head + 4] = b"\0\0"
                body[head + 2:head + 4] = struct.pack("!H", checksum(bytes(body[head:])))
        elif kind == 0x86dd and len(body) >= 40:
            body[0] = 0x60
            body[4:6] = struct.pack("!H", len(body) - 40)
            body[6] = r.choice((0, 43, 44, 58, 6, 17, 60))
        elif kind == 0x0806 and len(body) >= 28:
            body[:6] = b"\0\1\x08\0\6\4"
            body[6:8] = struct.pack("!H", r.choice((1, 2)))
            body[14:18] = bytes((10, 77, 0, r.randrange(2, 255)))
        try:
            s.send(to + us + struct.pack("!H", kind) + bytes(body))
        except OSError:
            pass


def packets(iface):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.bind((iface, 3))
    return s


def wire(a, b, loss, ready):
    """A frame may be 64 KiB of TCP, which is lost as a whole."""
    r, loss = random.Random(7), float(loss)
    ends = {s.fileno(): s for s in (packets(a), packets(b))}
    other = dict(zip(ends, reversed(list(ends.values()))))
    late = []
    open(ready, "w").close()
    while True:
        for fd in select.select(list(ends), [], [])[0]:
            frame, dice = ends[fd].recv(70000), r.random()
            out = [] if dice < loss else [frame, frame] if dice < loss * 1.3 else [frame]
            if loss * 1.3 < dice < loss * 2 and len(late) < 3:
                late.append((fd, frame))
                continue
            for f, x in [(fd, x) for x in out] + late:
                try:
                    other[f].send(x)
                except OSError:
                    pass
            late.clear()


if sys.argv[1] == "listen":
    inside()
else:
    globals()[sys.argv[1]](*sys.argv[2:])
