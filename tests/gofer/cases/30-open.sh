# open, create, setattr, fallocate, fsync, statfs
start
set_attr() { # NODE VALID MODE UID GID SIZE ATIME MTIME
	ask setattr "{\"node\":$1,\"valid\":$2,\"mode\":$3,\"uid\":$4,\"gid\":$5,\"size\":$6,\"atime\":$7,\"mtime\":$8}"
}
create() { # NAME FLAGS MODE UID GID
	ask create "{\"dir\":$root,\"name\":\"$1\",\"flags\":$2,\"mode\":$3,\"uid\":$4,\"gid\":$5}"
}
me=$EUID mygid=$(id -g)
f=$(walk_to file) d=$(walk_to dir) l=$(walk_to link) p=$(walk_to fifo)
rdwr=2 wronly=1 trunc=$((01000)) append=$((02000)) dirflag=$((0200000)) creat=$((0100)) nofollow=$((0400000)) path=$((010000000)) noatime=$((01000000))

ask open "{\"node\":$f,\"flags\":0}"; want "open" '"size":6'
fd=$(field fd)
ask "!cat $fd"; is "open: content" "$R" '{"data":"hello\n"}'
ask "!write $fd \"x\""; fails "open for reading: a write" EBADF
ask "!close $fd"
ask open "{\"node\":$f,\"flags\":$((wronly | append))}"; want "open for appending" '"fd":'
ask "!write $(field fd) \"more\n\""; is "appended" "$(cat "$tree/file")" $'hello\nmore'
ask open "{\"node\":$f,\"flags\":$((rdwr | trunc))}"; want "open with truncation" '"size":0'
is "truncated" "$(stat -c %s "$tree/file")" 0
echo again >"$tree/file"
ask open "{\"node\":$f,\"flags\":$trunc}"; want "O_RDONLY with truncation" '"size":0'
ask open "{\"node\":$f,\"flags\":$noatime}"; want "O_NOATIME" '"fd":'
for bad in 3 $creat $nofollow $path $((020000000)) 64 2147483648; do
	ask open "{\"node\":$f,\"flags\":$bad}"; fails "open with flags $bad" EINVAL
done
ask open "{\"node\":$d,\"flags\":$dirflag}"; want "open of a directory" '"fd":'
ask open "{\"node\":$d,\"flags\":$rdwr}"; fails "open of a directory for writing" EISDIR
ask open "{\"node\":$f,\"flags\":$dirflag}"; fails "open of a file as a directory" ENOTDIR
ask open "{\"node\":$l,\"flags\":0}"; fails "open of a link" ELOOP
ask open "{\"node\":$p,\"flags\":0}"; fails "open of a fifo" ENXIO

create new $rdwr $((0640)) $me "$mygid"; want "create" '"fd":'
ask "!write $(field fd) \"abc\""; is "create: content" "$(cat "$tree/new")" abc
is "create: mode" "$(stat -c %a "$tree/new")" 640
create new $rdwr $((0640)) $me "$mygid"; fails "create: what is there" EEXIST
create out $rdwr $((0640)) $me "$mygid"; fails "create: a link that is there" EEXIST
create suid $wronly $((06711)) $me "$mygid"; is "create: set-id bits" "$(stat -c %a "$tree/suid")" 6711
create zero 0 0 $me "$mygid"; is "create: mode 0" "$(stat -c %a "$tree/zero")" 0
create all 0 $((0777)) $me "$mygid"; is "create: no umask" "$(stat -c %a "$tree/all")" 777
create bad $dirflag $((0600)) $me "$mygid"; fails "create: O_DIRECTORY" EINVAL
create bad $creat $((0600)) $me "$mygid"; fails "create: O_CREAT is not for asking" EINVAL
create .. 0 $((0600)) $me "$mygid"; fails "create: .." EINVAL
mkdir "$tree/sg"; chmod 2777 "$tree/sg"; s=$(walk_to sg)
ask create "{\"dir\":$s,\"name\":\"a\",\"flags\":0,\"mode\":420,\"uid\":$me,\"gid\":$mygid}"
is "create in a set-group-id directory" "$(stat -c '%g %a' "$tree/sg/a")" "$mygid 644"
ask mkdir "{\"dir\":$s,\"name\":\"b\",\"mode\":493,\"uid\":$me,\"gid\":$mygid}"
is "mkdir in a set-group-id directory" "$(stat -c '%g %a' "$tree/sg/b")" "$mygid 755"
if ((is_root)); then
	create owned 1 $((04755)) 1234 4321
	is "create: owner and mode" "$(stat -c '%u %g %a' "$tree/owned")" "1234 4321 4755"
	o=$(node)
	set_attr "$o" 6 0 99 98 0 0 0; is "setattr: owner" "$(stat -c '%u %g' "$tree/owned")" "99 98"
	set_attr "$l" 6 0 7 8 0 0 0; is "setattr: owner of a link" "$(stat -c '%u %g' "$tree/link")" "7 8"
	is "setattr: the link's target is untouched" "$(stat -c '%u' "$tree/file")" 0
	set_attr "$o" 7 $((06755)) 5 6 0 0 0
	is "setattr: mode after owner" "$(stat -c '%u %g %a' "$tree/owned")" "5 6 6755"
fi

set_attr "$f" 1 $((0604)) 0 0 0 0 0; want "setattr: mode" '"attr":'
is "setattr: mode" "$(stat -c %a "$tree/file")" 604
chmod 0 "$tree/dir"
set_attr "$d" 1 $((01711)) 0 0 0 0 0; is "setattr: mode of a directory" "$(stat -c %a "$tree/dir")" 1711
set_attr "$l" 1 $((0777)) 0 0 0 0 0; fails "setattr: mode of a link" EOPNOTSUPP
set_attr "$p" 1 $((0611)) 0 0 0 0 0
if [[ $R == *EOPNOTSUPP* ]]; then ok; else is "setattr: mode of a fifo" "$(stat -c %a "$tree/fifo")" 611; fi
set_attr "$f" 8 0 0 0 100000 0 0; want "setattr: size" '"size":100000'
set_attr "$f" 8 0 0 0 3 0 0; is "setattr: size" "$(stat -c %s "$tree/file")" 3
set_attr "$d" 8 0 0 0 3 0 0; fails "setattr: size of a directory" EISDIR
set_attr "$p" 8 0 0 0 3 0 0; fails "setattr: size of a fifo" EINVAL
set_attr "$f" 48 0 0 0 0 1500000000 -1500000000; want "setattr: times" '"atime":1500000000,"mtime":-1500000000'
set_attr "$f" 32 0 0 0 0 0 77; want "setattr: one time" '"atime":1500000000,"mtime":77'
set_attr "$f" 16 0 0 0 0 -9223372036854775808 0
true_that "setattr: now" [ "$(($(date +%s) - $(stat -c %X "$tree/file")))" -le 5 ]
set_attr "$l" 32 0 0 0 0 0 1000000000; is "setattr: times of a link" "$(stat -c %Y "$tree/link")" 1
ask --raw "95010066049800cc$(repeat 00 6)"; fails "setattr: broken valid" EPROTO

ask fallocate "{\"node\":$f,\"mode\":0,\"offset\":0,\"length\":8192}"; want "fallocate" '\{'
is "fallocate: size" "$(stat -c %s "$tree/file")" 8192
ask fallocate "{\"node\":$f,\"mode\":0,\"offset\":0,\"length\":0}"; fails "fallocate: nothing" EINVAL
ask fallocate "{\"node\":$d,\"mode\":0,\"offset\":0,\"length\":1}"; fails "fallocate: directory" EISDIR
ask fallocate "{\"node\":$p,\"mode\":0,\"offset\":0,\"length\":1}"; fails "fallocate: fifo" ENODEV
for n in $f $d; do
	ask fsync "{\"node\":$n,\"data_only\":true}"; want "fsync" '\{'
	ask fsync "{\"node\":$n,\"data_only\":false}"; want "fsync" '\{'
done
ask fsync "{\"node\":$p,\"data_only\":false}"; fails "fsync: fifo" EINVAL
ask statfs "{\"node\":$f}"; is "statfs: type" "$(printf %x "$(field type)")" "$(stat -f -c %t "$tree")"
is "statfs: blocks" "$(field blocks)" "$(stat -f -c %b "$tree")"
is "statfs: namelen" "$(field namelen)" "$(stat -f -c %l "$tree")"
ask statfs "{\"node\":$l}"; is "statfs of a link" "$(field namelen)" "$(stat -f -c %l "$tree")"
