# attach, walk, getattr: names good and bad, links not followed
start
want "attach" '"read_only":false'
is "attach: inode" "$(field ino)" "$(stat -c %i "$tree")"
ask attach '{"tree":1}'; fails "attach: no such tree" ENOENT

ask walk "{\"dir\":$root,\"names\":[\"dir\",\"secret\"]}"
want "walk of two" '"error":0'
is "walk of two: nodes" "$(printf '%s' "$R" | grep -o '"node":' | wc -l)" 2
f=$(node 2)
ask getattr "{\"node\":$f}"
is "getattr: inode" "$(field ino)" "$(stat -c %i "$tree/dir/secret")"
is "getattr: mode" "$(field mode)" "$((0x$(stat -c %f "$tree/dir/secret")))"
is "getattr: size" "$(field size)" 7
is "getattr: nlink" "$(field nlink)" 1
is "getattr: mtime" "$(field mtime)" "$(date -r "$tree/dir/secret" +%s%N)"
is "getattr: dev" "$(field dev)" "$(stat -c %d "$tree/dir/secret")"
ask getattr "{\"node\":$root}"; is "getattr: root" "$(field ino)" "$(stat -c %i "$tree")"

ask walk "{\"dir\":$root,\"names\":[]}"; want "walk of none" '"nodes":\[\],"error":0'
ask walk "{\"dir\":$root,\"names\":[\"dir\",\"none\",\"x\"]}"
want "walk: ENOENT" '"error":2'
is "walk: what was found before" "$(printf '%s' "$R" | grep -o '"node":' | wc -l)" 1
ask walk "{\"dir\":$root,\"names\":[\"file\",\"x\"]}"; want "walk: ENOTDIR" '"error":20'
ask walk "{\"dir\":$root,\"names\":[\"dir\",\"secret\"]}"; want "walk to no link: nothing said" '"target":""'
ask walk "{\"dir\":$root,\"names\":[\"none\"]}"; want "walk: nothing" '"nodes":\[\],"error":2'
ask walk "{\"dir\":$f,\"names\":[\"x\"]}"; fails "walk from a file" ENOTDIR

for l in out link; do
	ask walk "{\"dir\":$root,\"names\":[\"$l\",\"secret\"]}"
	want "walk ends at a link ($l)" '"error":0'
	is "walk ends at a link ($l): inode" "$(field ino)" "$(stat -c %i "$tree/$l")"
	is "walk ends at a link ($l): nodes" "$(printf '%s' "$R" | grep -o '"node":' | wc -l)" 1
	want "walk ends at a link ($l): what it says" "\"target\":\"$(readlink "$tree/$l")\""
done
ask walk "{\"dir\":$(node),\"names\":[\"secret\"]}"; fails "walk from a link" ENOTDIR

# names
for n in '"."' '".."' '"/"' '""' '"a/b"' '"/etc"' '"../outside"' '"dir/"'; do
	ask walk "{\"dir\":$root,\"names\":[$n]}"; fails "walk: name $n" EINVAL
	ask walk "{\"dir\":$root,\"names\":[\"dir\",$n]}"; fails "walk: second name $n" EINVAL
	ask mkdir "{\"dir\":$root,\"name\":$n,\"mode\":493,\"uid\":$EUID,\"gid\":0}"; fails "mkdir: name $n" EINVAL
done
long=$(repeat x 255)
touch "$tree/$long"
ask walk "{\"dir\":$root,\"names\":[\"$long\"]}"
is "walk: name of 255 bytes" "$(field ino)" "$(stat -c %i "$tree/$long")"
ask walk "{\"dir\":$root,\"names\":[\"x$long\"]}"; fails "ipcctl: name of 256 bytes" ENAMETOOLONG
# the same past ipcctl's own check: [1, request, 100, walk, [root, [name]]]
ask --raw "950100640292$(printf %02x "$root")91c50100$(repeat 78 256)"; fails "walk: name of 256 bytes" EPROTO
ask --raw "950100650292$(printf %02x "$root")91c50001$(repeat 00 1)"; fails "walk: name with NUL" EPROTO
odd=$'\xff\xfe\n\x01'
touch "$tree/$odd"
ask walk "{\"dir\":$root,\"names\":[{\"hex\":\"fffe0a01\"}]}"
is "walk: name that is not UTF-8" "$(field ino)" "$(stat -c %i "$tree/$odd")"
for n in '"..."' '"..x"' '".x"'; do
	ask walk "{\"dir\":$root,\"names\":[$n]}"; want "walk: name $n is like any" '"error":2'
done

# 64 names are the most
deep=$tree/deep
path=$(repeat "d\/" 63)
mkdir -p "$deep/$path"
names=$(repeat ',"d"' 63)
ask walk "{\"dir\":$root,\"names\":[\"deep\"$names]}"
is "walk of 64" "$(printf '%s' "$R" | grep -o '"node":' | wc -l)" 64
ask walk "{\"dir\":$root,\"names\":[\"deep\"$names,\"d\"]}"; fails "ipcctl: walk of 65" E2BIG
