# read-only, several trees, single files
own="\"uid\":$EUID,\"gid\":$(id -g)"
refused() { # WHAT: every change is EROFS below $root
	local d f
	d=$(walk_to dir) f=$(walk_to file)
	while read -r m j; do
		eval "j=\"${j//\"/\\\"}\""
		ask "$m" "$j"; fails "$1: $m" EROFS
	done <<'X'
setattr {"node":$f,"valid":1,"mode":0,"uid":0,"gid":0,"size":0,"atime":0,"mtime":0}
open {"node":$f,"flags":1}
open {"node":$f,"flags":2}
open {"node":$f,"flags":512}
create {"dir":$d,"name":"a","flags":0,"mode":0,$own}
mkdir {"dir":$d,"name":"a","mode":0,$own}
mknod {"dir":$d,"name":"a","mode":4096,"rdev":0,$own}
symlink {"dir":$d,"name":"a","target":"b",$own}
link {"dir":$d,"name":"a","node":$f}
unlink {"dir":$d,"name":"secret","directory":false}
unlink {"dir":$d,"name":"sub","directory":true}
rename {"old_dir":$d,"old_name":"secret","new_dir":$d,"new_name":"b","flags":0}
setxattr {"node":$f,"name":"user.a","value":"x","flags":0}
removexattr {"node":$f,"name":"user.a"}
fallocate {"node":$f,"mode":0,"offset":0,"length":1}
X
	ask open "{\"node\":$f,\"flags\":0}"; want "$1: open for reading" '"fd":'
	ask readdir "{\"dir\":$d,\"cookie\":0}"; want "$1: readdir" secret
}
start --read-only
ask attach '{"tree":0}'; want "read-only: attach" '"read_only":true'
refused "--read-only"
stop

mkdir "$work/second"
printf two >"$work/second/x"
printf one >"$work/single"
ln -sf "$work/single" "$work/single-link"
start --tree "$work/second" --tree "$work/single" --tree-ro "$tree" --tree-ro "$work/single-link"
f=$(walk_to file)
ask attach '{"tree":1}'; want "tree 1" '"read_only":false'
second=$(node)
ask walk "{\"dir\":$second,\"names\":[\"x\"]}"; want "tree 1: walk" '"size":3'
ask link "{\"dir\":$second,\"name\":\"l\",\"node\":$f}"; fails "link across trees" EXDEV
ask rename "{\"old_dir\":$root,\"old_name\":\"file\",\"new_dir\":$second,\"new_name\":\"f\",\"flags\":0}"; fails "rename across trees" EXDEV
ask attach '{"tree":2}'; want "a single file" '"size":3'
s=$(node)
ask getattr "{\"node\":$s}"; is "a single file: inode" "$(field ino)" "$(stat -c %i "$work/single")"
ask open "{\"node\":$s,\"flags\":2}"; want "a single file: open" '"fd":'
ask "!cat $(field fd)"; is "a single file: content" "$R" '{"data":"one"}'
ask open "{\"node\":$s,\"flags\":513}"; want "a single file: truncation" '"size":0'
ask walk "{\"dir\":$s,\"names\":[\"x\"]}"; fails "a single file: walk" ENOTDIR
ask setattr "{\"node\":$s,\"valid\":1,\"mode\":384,\"uid\":0,\"gid\":0,\"size\":0,\"atime\":0,\"mtime\":0}"
is "a single file: mode" "$(stat -c %a "$work/single")" 600
ask attach '{"tree":3}'; want "tree 3" '"read_only":true'
root=$(node)
refused "--tree-ro"
ask attach '{"tree":4}'; want "a single file, read-only, by a link" '"read_only":true'
s=$(node)
ask open "{\"node\":$s,\"flags\":1}"; fails "a single file, read-only" EROFS
ask open "{\"node\":$s,\"flags\":0}"; want "a single file, read-only: open" '"fd":'
ask attach '{"tree":5}'; fails "one tree too many" ENOENT
stop

if ((is_root)); then
	start --allow-mknod
	ask mknod "{\"dir\":$root,\"name\":\"null\",\"mode\":$((020666)),\"rdev\":259,$own}"
	want "--allow-mknod" "\"rdev\":259"
	ask open "{\"node\":$(node),\"flags\":0}"; fails "a device is not opened" ENXIO
	stop
fi
rm -rf "$work/second" "$work/single" "$work/single-link"
