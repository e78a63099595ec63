#!/usr/bin/env python3
"""network_inside.py - what programs inside see of the network: network.sh runs it in the
sandbox, and natively in the same namespace; both must print the same.  IP is the other host's."""
import array, fcntl, select, socket, struct, sys, time

ip = sys.argv[1]
six = ":" in ip
family = socket.AF_INET6 if six else socket.AF_INET


def tell(what, fn):
    try:
        print(what, fn())
    except OSError as e:
        print(what, type(e).__name__, e.errno)


def sum16(b):
    s = sum(array.array("H", b))
    s = (s >> 16) + (s & 0xffff)
    return ~(s + (s >> 16)) & 0xffff


def datagrams():
    u = socket.socket(family, socket.SOCK_DGRAM)
    u.settimeout(30)
    same = []
    for n in (0, 1, 1000, 1452, 1472, 1473, 9000, 40000):  # those that do not fit go in pieces
        b = bytes(i * 7 & 255 for i in range(n))
        u.sendto(b, (ip, 7004))
        same.append(u.recvfrom(65536)[0] == b)
    return same


def unreachable_port():
    u = socket.socket(family, socket.SOCK_DGRAM)
    u.settimeout(30)
    u.connect((ip, 9))
    u.send(b"x")
    return u.recv(10)


def ping():
    s = socket.socket(family, socket.SOCK_RAW, 58 if six else 1)
    s.settimeout(30)
    p = struct.pack("!BBHHH", 128 if six else 8, 0, 0, 77, 1) + b"payload!"
    s.sendto(p[:2] + struct.pack("H", 0 if six else sum16(p)) + p[4:], (ip, 0))
    while True:
        r = s.recv(500)
        r = r if six else r[20:]
        if r[0] == (129 if six else 0):
            return r[4:]


def nonblocking(port):
    c = socket.socket(family)
    c.setblocking(False)
    first = c.connect_ex((ip, port))
    ready = select.select([], [c], [], 30)[1] == [c]
    return first, ready, c.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), c.connect_ex((ip, port)) if port == 7003 else None


def names():
    c = socket.create_connection((ip, 7003))
    here, there = c.getsockname(), c.getpeername()
    return here[0], here[1] > 0, there


def ends():
    """Half a connection stays open."""
    c = socket.create_connection((ip, 7003))
    c.settimeout(30)
    c.sendall(b"last words")
    c.shutdown(socket.SHUT_WR)
    got = b""
    while b := c.recv(100):
        got += b
    p = select.poll()
    p.register(c, 0xffff)
    return got, p.poll(1000)[0][1] & (select.POLLIN | select.POLLHUP | select.POLLERR)


def small_writes():
    c = socket.create_connection((ip, 7003))
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    c.settimeout(30)
    n = 0
    for i in range(300):
        c.sendall(b"%03d" % i)
        n += c.recv(3, socket.MSG_WAITALL) == b"%03d" % i
    return n


def full():
    """What fits without waiting, then the rest."""
    c = socket.create_connection((ip, 7001))
    c.setblocking(False)
    left = total = 8 << 20
    while left:
        try:
            left -= c.send(b"x" * min(left, 1 << 16))
        except BlockingIOError:
            select.select([], [c], [], 30)
    c.setblocking(True)
    c.shutdown(socket.SHUT_WR)
    return c.recv(100).split()[0] == b"%d" % total


def peek():
    c = socket.create_connection((ip, 7003))
    c.settimeout(30)
    c.sendall(b"abcdef")
    select.select([c], [], [], 30)
    while len(c.recv(6, socket.MSG_PEEK)) < 6:
        pass
    return c.recv(2), c.recv(4, socket.MSG_WAITALL), struct.unpack("i", fcntl.ioctl(c, 0x541B, b"\0\0\0\0"))


def unlike():
    """Nobody has the address: it is asked for in vain."""
    t = time.time()
    try:
        socket.create_connection((ip.rsplit(".", 1)[0] + ".99", 80) if not six else ("fd77::99", 80))
    except OSError as e:
        return e.errno, time.time() - t < 100


tell("datagrams", datagrams)
tell("port unreachable", unreachable_port)
tell("refused", lambda: socket.create_connection((ip, 9)))
tell("ping", ping)
tell("nonblocking", lambda: nonblocking(7003))
tell("nonblocking, refused", lambda: nonblocking(9))
tell("names", names)
tell("half open", ends)
tell("small writes", small_writes)
tell("more than fits", full)
tell("peek", peek)
tell("host unreachable", unlike)
if not six:
    tell("no way", lambda: socket.socket(family, socket.SOCK_DGRAM).sendto(b"x", ("255.255.255.255", 7004)))
    tell("interfaces", lambda: socket.if_nameindex())
