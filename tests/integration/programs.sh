#!/bin/bash
# programs.sh - real programs of a Debian tree give inside what they give natively.
# Usage: programs.sh [NAME-PATTERN]
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
want=${1:-*}
[ -e "$TREE/.complete" ] || debian_tree

t() { case $1 in $want) same "$@" ;; esac; }

t find_count 'find / -xdev | grep -v "^/tmp" | wc -l'
t find_usr 'find /usr -type f | sort | md5sum'
t pipelines 'for i in $(seq 200); do echo $((i*7)); done | sort -rn | head -50 | tr "\n" " " | sed "s/7/x/g"; echo; seq 100000 | awk "{s+=\$1} END {print s}"; yes | head -5000 | wc -l'
t here_documents 'cat <<A; cat <<-"B"; wc -c <<<"here string"
one $((1+1))
A
	two $HOME
	B'
t job_control 'set -m; sleep 2.3 & sleep 2.2 & jobs | sed "s/ [0-9]* / /"; wait; echo done; (exit 7) & wait $!; echo $?; sleep 5 & kill %1; wait %1; echo $?; kill -l | head -2'
t traps 'trap "echo got USR1" USR1; trap "echo bye" EXIT; kill -USR1 $$; (trap "echo child" TERM; kill -TERM $BASHPID); trap - USR1; sh -c "kill -9 \$\$"; echo $?; sh -c "kill -SEGV \$\$"; echo $?'
t process_substitution 'diff <(seq 10) <(seq 2 11); paste <(seq 3) <(seq 4 6); coproc cat; echo hi >&"${COPROC[1]}"; read -r x <&"${COPROC[0]}"; echo $x'
t sed_awk_sort 'cd /usr/share/perl5 2>/dev/null || cd /usr/share/perl; find . -name "*.pm" | sort | head -200 | xargs cat | awk "{n[length(\$0)]++} END {for (i in n) print i, n[i]}" | sort -n | md5sum; dpkg -L perl-base | sed -n "s,.*/,,p" | sort -u | md5sum'
t grep_r 'grep -r -c include /usr/include | sort | md5sum; grep -rl pthread_create /usr/include | sort'
t tar_usr 'tar -C /usr/share -cf - . --sort=name | md5sum; mkdir /tmp/u && tar -C /usr/include -cf - . | tar -C /tmp/u -xf - && diff -r /usr/include /tmp/u && echo same'
t gzip_xz_zstd 'tar -C /usr/include -cf /tmp/a.tar --sort=name .; for c in gzip xz zstd; do $c -k -q /tmp/a.tar; done; for f in gz xz zst; do case $f in gz) gzip -dc /tmp/a.tar.gz;; xz) xz -dc /tmp/a.tar.xz;; zst) zstd -dqc /tmp/a.tar.zst;; esac | md5sum; done; xz -T2 -c /tmp/a.tar | xz -dc | md5sum'
t perl_fork 'perl -e "use strict; pipe(my \$r, my \$w); my \$p = fork; if (!\$p) { close \$r; print \$w \"from child\n\"; exit 3 } close \$w; print <\$r>; waitpid(\$p, 0); print \$? >> 8, \"\n\"; for (1..20) { my \$q = fork; exit \$_ unless \$q } my \$s = 0; while (wait != -1) { \$s += \$? >> 8 } print \"\$s\n\"; \$SIG{ALRM} = sub { print \"alarm\n\" }; alarm 1; select undef, undef, undef, 3; print \"end\n\""'
t perl_sockets 'perl -MIO::Socket::UNIX -e "my \$l = IO::Socket::UNIX->new(Local => \"/tmp/s\", Listen => 5); if (!fork) { for (1..5) { my \$c = \$l->accept; chomp(my \$l = <\$c>); print \$c scalar reverse(\$l), \"\n\"; close \$c } exit } for (1..5) { my \$c = IO::Socket::UNIX->new(Peer => \"/tmp/s\"); print \$c \"hello\$_\n\"; print <\$c> } wait"'
t python_threads 'python3 -c "
import threading, queue
q = queue.Queue(); out = []
def work():
    while True:
        x = q.get()
        if x is None: return
        out.append(x * x)
ts = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in ts]; [q.put(i) for i in range(1000)]; [q.put(None) for _ in ts]; [t.join() for t in ts]
print(sum(out), threading.active_count())
e = threading.Event(); threading.Timer(0.1, e.set).start(); print(e.wait(5)); print(threading.Event().wait(0.05))"'
t python_subprocess 'python3 -c "
import subprocess, os, signal
print(subprocess.check_output([\"echo\", \"hi\"]), subprocess.run(\"exit 5\", shell=True).returncode)
p = subprocess.Popen([\"cat\"], stdin=subprocess.PIPE, stdout=subprocess.PIPE); print(p.communicate(b\"x\" * 300000)[0] == b\"x\" * 300000)
p = subprocess.Popen([\"sleep\", \"100\"]); p.send_signal(signal.SIGINT); print(p.wait())
try: subprocess.run([\"sleep\", \"9\"], timeout=0.2)
except subprocess.TimeoutExpired: print(\"timeout\")
try: subprocess.run([\"/no/such\"])
except FileNotFoundError as e: print(e)"'
t python_multiprocessing 'python3 -c "
import multiprocessing as m
def f(x): return x * x
if __name__ == \"__main__\":
    with m.Pool(4) as p: print(sum(p.map(f, range(500))))
    q = m.Queue(); ps = [m.Process(target=q.put, args=(i,)) for i in range(5)]; [p.start() for p in ps]; print(sorted(q.get() for _ in ps)); [p.join() for p in ps]
    v = m.Value(\"i\", 0)
    with v.get_lock(): v.value += 1
    print(v.value)"'
t python_asyncio 'python3 -c "
import asyncio
async def handle(r, w):
    w.write((await r.readline()).upper()); await w.drain(); w.close()
async def ask(i):
    r, w = await asyncio.open_unix_connection(\"/tmp/a.sock\"); w.write(b\"m%d\n\" % i); x = await r.read(); w.close(); return x
async def main():
    s = await asyncio.start_unix_server(handle, \"/tmp/a.sock\")
    print(await asyncio.gather(*(ask(i) for i in range(20))))
    p = await asyncio.create_subprocess_exec(\"echo\", \"sub\", stdout=asyncio.subprocess.PIPE); print((await p.communicate())[0])
    await asyncio.sleep(0.05); s.close()
asyncio.run(main())"'
t python_mmap 'python3 -c "
import mmap, os
f = open(\"/tmp/m\", \"w+b\"); f.truncate(1 << 20); m = mmap.mmap(f.fileno(), 0); m[5000:5005] = b\"hello\"; m.flush(); f.seek(5000); print(f.read(5))
os.pwrite(f.fileno(), b\"world\", 9000); print(m[9000:9005]); a = mmap.mmap(-1, 65536)
if os.fork() == 0: a[0:4] = b\"kid!\"; os._exit(0)
os.wait(); print(a[0:4]); p = mmap.mmap(f.fileno(), 0, mmap.MAP_PRIVATE); p[0:3] = b\"prv\"; f.seek(0); print(f.read(3), p[0:3])"'
t python_sqlite 'python3 -c "
import sqlite3
d = sqlite3.connect(\"/tmp/d.db\"); d.execute(\"create table t(a,b)\"); d.executemany(\"insert into t values(?,?)\", ((i, str(i)) for i in range(5000))); d.commit()
print(d.execute(\"select sum(a), max(b) from t\").fetchone()); d.execute(\"pragma journal_mode=wal\"); d.execute(\"delete from t where a%2\"); d.commit(); print(d.execute(\"select count(*) from t\").fetchone())"; echo "select count(*), sum(a) from t; pragma integrity_check;" | sqlite3 /tmp/d.db'
t gcc_make 'mkdir /tmp/p && cd /tmp/p && printf "#include <stdio.h>\n#include <math.h>\nint f(int);\nint main(void){printf(\"%%d %%.3f\\n\",f(6),sqrt(2));return f(1)-7;}\n" >m.c && printf "int f(int x){return x*7;}\n" >f.c && printf "p: m.o f.o\n\t\$(CC) -o \$@ \$^ -lm\n%%.o: %%.c\n\t\$(CC) -O2 -c \$<\nclean:\n\trm -f *.o p\n" >Makefile && make -j2 -s && ./p; echo $?; make -s p; make -s clean; ls; gcc -v 2>&1 | tail -1'
t git_work 'cd /tmp && git config --global user.name a && git config --global user.email a@b && git init -q -b main r && cd r && cp -r /usr/include/linux . && git add . && GIT_AUTHOR_DATE="2024-01-01T00:00:00Z" GIT_COMMITTER_DATE="2024-01-01T00:00:00Z" git commit -q -m one && git log --format="%H %s" && git status --short | wc -l && cd .. && git clone -q r c && cd c && git log --oneline | wc -l && ls linux | wc -l && git fsck 2>&1 | tail -1; git gc -q && git count-objects -v | grep -E "^(in-pack|packs)"'
t dpkg_l 'dpkg -l | md5sum'
t dpkg_verify 'dpkg --verify; echo $?'
t apt_version 'apt-get --version; apt-cache policy bash | head -3'
t openssl_speed 'openssl speed -seconds 1 sha256 2>/dev/null | grep -c sha256; openssl dgst -sha256 /usr/bin/openssl; openssl genrsa 1024 2>/dev/null | head -1'
t ps_aux 'cd /tmp; ps aux >a; awk "{print \$1, \$11, \$12}" a; ps -e -o pid,ppid,stat,comm --no-headers >b; wc -l <b; pgrep -x bash >c; wc -l <c'
t top_bn1 'top -bn1 >/tmp/a; sed -n "7p" /tmp/a; grep -c bash /tmp/a'
t node 'node -e "
const net = require(\"net\"), fs = require(\"fs\"), cp = require(\"child_process\");
const s = net.createServer(c => c.on(\"data\", d => c.end(d.toString().toUpperCase()))).listen(\"/tmp/n.sock\", () => {
  const c = net.connect(\"/tmp/n.sock\"); c.write(\"hello\"); c.on(\"data\", d => console.log(d.toString())); c.on(\"end\", () => { s.close(); setTimeout(() => console.log(\"timer\"), 50); }); });
fs.writeFileSync(\"/tmp/nf\", \"x\".repeat(1000)); console.log(fs.statSync(\"/tmp/nf\").size, cp.execSync(\"echo sub\").toString().trim());
new Promise(r => r(6)).then(console.log);"'
t redis 'redis-server --port 0 --unixsocket /tmp/r.sock --save "" --daemonize yes --dir /tmp >/dev/null; for i in $(seq 300); do redis-cli -s /tmp/r.sock ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done; redis-cli -s /tmp/r.sock set k v; redis-cli -s /tmp/r.sock get k; redis-cli -s /tmp/r.sock eval "local s=0 for i=1,1000 do s=s+i end return s" 0; redis-benchmark -s /tmp/r.sock -n 2000 -q -t set,get 2>/dev/null | tr "\r" "\n" | grep -c "requests per second"; redis-cli -s /tmp/r.sock shutdown nosave; for i in $(seq 300); do [ -e /tmp/r.sock ] || break; sleep 0.1; done; ls /tmp/r.sock 2>&1'
t coreutils 'cd /tmp; touch -d @1000000000 f; stat -c "%s %a %Y %F" f; ln f g; stat -c %h f; ln -s f l; readlink -f l; mkdir -m 700 d; cp -a f d/; mv d e; ls -la e | awk "{print \$1,\$2,\$3,\$5,\$9}"; dd if=/dev/zero of=z bs=1k count=100 2>/dev/null; truncate -s 50 z; wc -c z; split -b 10 z zz; ls zz* | wc -l; rm -r e; ls; df / >/dev/null; id; umask; uname -sm; nproc; seq 5 | shuf --random-source=/dev/zero | wc -l; timeout 0.1 sleep 5; echo $?; mktemp -d >/dev/null && echo ok; tty; date -d @0 -u; env | sort'
t users 'id nobody; su -s /bin/sh nobody -c "id; touch /etc/x" 2>&1; su -s /bin/sh nobody -c "cat /etc/shadow" 2>&1; chown nobody /tmp; chmod 4755 /bin/true 2>/dev/null; stat -c %a /bin/true; chmod 755 /bin/true'
t output_in_order 'echo one; echo two >/tmp/two; cat /tmp/two; dd if=/tmp/two bs=4 2>/dev/null; python3 -c "import os; f = os.open(\"/tmp/two\", 0); os.sendfile(1, f, 0, 4)"; echo last'
t script_terminal 'script -qc "tty; readlink /proc/self/fd/0; stty -a | head -1; stat -c %t /dev/pts/0" /dev/null </dev/null'
t stdout_reopened 'echo long enough a line; exec 3>&1; echo x >/dev/stdout; echo y >>/dev/stdout; for i in 1 2 3; do (echo $i >>/dev/fd/3) done; readlink /proc/self/fd/0; python3 -c "import os; f = os.open(\"/dev/stdout\", os.O_WRONLY); print(os.lseek(f, 0, 2)); os.lseek(f, 3, 0); os.write(f, b\"Q\"); print(os.lseek(f, 0, 1))"' 's/\x0//g'
finish
