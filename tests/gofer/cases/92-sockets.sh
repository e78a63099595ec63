# host UNIX sockets: off unless asked for; --listen
own="\"uid\":$EUID,\"gid\":$(id -g)"
serve() { # PATH FILE: one connection, what it says goes to FILE
	perl -MSocket -e 'my ($p, $f) = @ARGV; socket(my $s, AF_UNIX, SOCK_STREAM, 0); bind($s, sockaddr_un($p)) or die; listen($s, 5);
		open(my $ready, ">", "$f.ready"); close($ready); accept(my $c, $s); sysread($c, my $x, 100); open(my $o, ">", $f); print $o $x; close($o); sleep(1000)' "$1" "$2" &
	background+=($!)
	disown
	for ((i = 0; i < 300; i++)); do [ -e "$2.ready" ] && break; sleep 0.1; done
}
serve "$tree/dir/sock" "$work/said"
connect() { ask connect "{\"node\":$1,\"type\":$2}"; }
bind() { ask bind "{\"dir\":$root,\"name\":\"$1\",\"type\":$2,\"mode\":$((0640)),$own}"; }

start
s=$(walk_to dir sock)
connect "$s" 1; fails "connect: not asked for" EPERM
bind mine 1; fails "bind: not asked for" EPERM
connect 77 1; fails "connect: unknown handle" EBADF

if ((!is_root)); then
	echo "skipped: --host-uds needs trees that are mounts"
	return
fi
start --host-uds=connect
s=$(walk_to dir sock)
connect "$s" 1; want "connect" '"fd":'
ask "!write $(field fd) \"words\""
for ((i = 0; i < 300; i++)); do [ -s "$work/said" ] && break; sleep 0.1; done
is "connected" "$(cat "$work/said")" words
connect "$s" 2; fails "connect: of another type" EPROTOTYPE
connect "$s" 3; fails "connect: raw" EINVAL
connect "$(walk_to file)" 1; fails "connect: a file" ECONNREFUSED
connect "$(walk_to link)" 1; fails "connect: a link" ECONNREFUSED
bind mine 1; fails "bind: connect only" EPERM
ask walk "{\"dir\":$root,\"names\":[\"dir\",\"secret\"]}"; want "the gofer goes on where it was" '"size":7'

start --host-uds=create
bind mine 1; want "bind" '"fd":'
is "bind: type and mode" "$(stat -c '%F %a' "$tree/mine")" "socket 640"
bind mine 1; fails "bind: what is there" EEXIST
bind out 1; fails "bind: a link that is there" EEXIST
bind "$(repeat x 107)" 1; want "bind: 107 bytes" '"fd":'
bind "$(repeat x 108)" 1; fails "bind: 108 bytes" ENAMETOOLONG
bind .. 1; fails "bind: .." EINVAL
s=$(walk_to dir sock)
connect "$s" 1; want "connect with create" '"fd":'
start --host-uds=create --read-only
bind mine2 1; fails "bind: read-only" EROFS
stop

# many connections, a long path; handles of one are nothing to another
long=$work/$(repeat l 120)
mkdir "$long"
"$GOFER" --root "$tree" --listen "$long/socket" 2>>"$work/log" &
server=$!
background+=($server)
disown
for ((i = 0; i < 300; i++)); do [ -S "$long/socket" ] && break; sleep 0.1; done
is "--listen: mode" "$(stat -c %a "$long/socket")" 600
for k in 1 2; do
	R=$("$IPCCTL" --connect "$long/socket" gofer attach '{"tree":0}' walk '{"dir":1,"names":["file"]}' | tail -1)
	want "--listen: connection $k" '"node":2,'
	R=$("$IPCCTL" --connect "$long/socket" gofer getattr '{"node":2}')
	fails "--listen: handles are a connection's own" EBADF
done
"$IPCCTL" --connect "$long/socket" gofer --raw 95 >/dev/null 2>&1
R=$("$IPCCTL" --connect "$long/socket" gofer attach '{"tree":0}')
want "--listen: goes on after a broken frame" '"node":1'
kill "$server"
for ((i = 0; i < 300; i++)); do kill -0 "$server" 2>/dev/null || break; sleep 0.1; done
true_that "--listen: ends by a signal" eval '! kill -0 $server 2>/dev/null'
