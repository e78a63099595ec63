# proc and its like in a tree: can be walked to, not into
was=$tree
tree=/
start --read-only
p=$(walk_to proc)
ask getattr "{\"node\":$p}"; want "getattr of /proc" "\"ino\":$(stat -c %i /proc),"
ask walk "{\"dir\":$root,\"names\":[\"proc\",\"version\"]}"; want "walk into /proc" '"error":13'
ask walk "{\"dir\":$p,\"names\":[\"version\"]}"; fails "walk from /proc" EACCES
ask readdir "{\"dir\":$p,\"cookie\":0}"; fails "readdir of /proc" EACCES
ask open "{\"node\":$p,\"flags\":65536}"; fails "open of /proc" EACCES
ask statfs "{\"node\":$p}"; fails "statfs of /proc" EACCES
ask readdir "{\"dir\":$root,\"cookie\":0}"; want "readdir of what holds it" '"name":"proc"'
for d in tmp dev usr; do
	[ -d /$d ] || continue
	ask readdir "{\"dir\":$(walk_to $d),\"cookie\":0}"; want "readdir of /$d" '"entries":'
done
stop
# exported by name it is served
tree=/proc
start --read-only
ask walk "{\"dir\":$root,\"names\":[\"version\"]}"; want "walk in an exported /proc" '"error":0'
stop
tree=$was
