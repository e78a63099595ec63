# handles: unknown, released, foreign; what a node does when the host changes it
start
f=$(walk_to file)
is "a second handle is another" "$([ "$(walk_to file)" != "$f" ] && echo yes)" yes
for h in 0 99 1000000 4294967295 4294967296 4294967297 9223372036854775807; do
	ask getattr "{\"node\":$h}"; fails "getattr of handle $h" EBADF
	ask walk "{\"dir\":$h,\"names\":[\"x\"]}"; fails "walk from handle $h" EBADF
done
bad='"uid":0,"gid":0'
while read -r m j; do
	ask "$m" "$j"; fails "$m of an unknown handle" EBADF
done <<'X'
setattr {"node":77,"valid":0,"mode":0,"uid":0,"gid":0,"size":0,"atime":0,"mtime":0}
open {"node":77,"flags":0}
create {"dir":77,"name":"a","flags":0,"mode":0,"uid":0,"gid":0}
mkdir {"dir":77,"name":"a","mode":0,"uid":0,"gid":0}
mknod {"dir":77,"name":"a","mode":4096,"rdev":0,"uid":0,"gid":0}
symlink {"dir":77,"name":"a","target":"b","uid":0,"gid":0}
link {"dir":77,"name":"a","node":1}
link {"dir":1,"name":"a","node":77}
unlink {"dir":77,"name":"a","directory":false}
rename {"old_dir":77,"old_name":"a","new_dir":1,"new_name":"b","flags":0}
rename {"old_dir":1,"old_name":"a","new_dir":77,"new_name":"b","flags":0}
readlink {"node":77}
readdir {"dir":77,"cookie":0}
statfs {"node":77}
getxattr {"node":77,"name":"user.a"}
setxattr {"node":77,"name":"user.a","value":"x","flags":0}
listxattr {"node":77}
removexattr {"node":77,"name":"user.a"}
fallocate {"node":77,"mode":0,"offset":0,"length":1}
fsync {"node":77,"data_only":false}
X
ask release "{\"nodes\":[$f,$f,0,77,9223372036854775807]}"; want "release" '\{\}'
ask getattr "{\"node\":$f}"; fails "a released handle" EBADF
g=$(walk_to file)
is "its number is not used again" "$([ "$g" != "$f" ] && echo yes)" yes
ask getattr "{\"node\":$f}"; fails "a released handle, its place taken" EBADF
ask getattr "{\"node\":$g}"; want "the new one" '"size":6'

# a parent released before its child
ask walk "{\"dir\":$root,\"names\":[\"dir\",\"secret\"]}"
s=$(node 2)
ask release "{\"nodes\":[$(node 1)]}"
ask getattr "{\"node\":$s}"; want "a node outlives its parent's handle" '"size":7'

# the host replaces, removes, renames
echo other >"$tree/other"
mv "$tree/other" "$tree/file"
ask getattr "{\"node\":$g}"; fails "getattr of a replaced file" ESTALE
ask open "{\"node\":$g,\"flags\":0}"; fails "open of a replaced file" ESTALE
g=$(walk_to file)
ask getattr "{\"node\":$g}"; want "walked again" '"size":6'
rm "$tree/dir/secret"
ask getattr "{\"node\":$s}"; fails "getattr of a removed file" ESTALE
mkfifo "$tree/dir/secret"
ask open "{\"node\":$s,\"flags\":0}"; fails "open of what became a fifo" ESTALE
rm "$tree/file"; ln -s "$outside/secret" "$tree/file"
ask open "{\"node\":$g,\"flags\":0}"; fails "open of what became a link" ESTALE
ask getattr "{\"node\":$g}"; fails "getattr of what became a link" ESTALE
ask setattr "{\"node\":$g,\"valid\":8,\"mode\":0,\"uid\":0,\"gid\":0,\"size\":0,\"atime\":0,\"mtime\":0}"
fails "truncation of what became a link" ESTALE
ask fallocate "{\"node\":$g,\"mode\":0,\"offset\":0,\"length\":9}"; fails "fallocate of what became a link" ESTALE
is "outside is untouched" "$(cat "$outside/secret")" outside
