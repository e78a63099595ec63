# lookup: several names of one directory, each with an answer of its own; files opened on request
found() { printf "%s" "$R" | grep -o "\"node\":{\"node\":[0-9]*" | sed "s/.*://" | sed -n "$1p"; } # the Nth handle
start
ask lookup "{\"dir\":$root,\"names\":[\"file\",\"none\",\"dir\",\"link\",\"fifo\"],\"open\":false}"
is "lookup: an answer for each" "$(printf '%s' "$R" | grep -o '"error":' | wc -l)" 5
is "lookup: errors" "$(printf '%s' "$R" | grep -o '"error":[0-9]*' | tr -d '\n')" '"error":0"error":2"error":0"error":0"error":0'
is "lookup: inodes" "$(printf '%s' "$R" | grep -o '"ino":[0-9]*' | sed 's/.*://' | tr '\n' ' ')" \
	"$(stat -c %i "$tree/file") 0 $(stat -c %i "$tree/dir" "$tree/link" "$tree/fifo" | tr '\n' ' ')"
want "lookup: what a link says" "\"target\":\"$(readlink "$tree/link")\""
is "lookup: nothing opened unasked" "$(printf '%s' "$R" | grep -c '"fd":[0-9]')" 0
ask getattr "{\"node\":$(found 1)}"; is "lookup: the handle is good" "$(field ino)" "$(stat -c %i "$tree/file")"

ask lookup "{\"dir\":$root,\"names\":[\"file\",\"dir\",\"fifo\",\"link\",\"none\"],\"open\":true}"
is "lookup: only the regular file is opened" "$(printf '%s' "$R" | grep -o '"fd":[0-9a-z]*' | grep -c '[0-9]')" 1

ask lookup "{\"dir\":$root,\"names\":[],\"open\":true}"; want "lookup of none" '"found":\[\]'
ask lookup "{\"dir\":$(walk_to file),\"names\":[\"x\"],\"open\":false}"; fails "lookup in a file" ENOTDIR
ask lookup "{\"dir\":$(walk_to link),\"names\":[\"x\"],\"open\":false}"; fails "lookup in a link" ENOTDIR
ask lookup "{\"dir\":12345678,\"names\":[\"x\"],\"open\":false}"; fails "lookup: no such handle" EBADF
for n in '"."' '".."' '"/"' '""' '"a/b"' '"/etc"' '"../outside"'; do
	ask lookup "{\"dir\":$root,\"names\":[\"file\",$n],\"open\":true}"; fails "lookup: name $n" EINVAL
done
names=$(seq 1 64 | sed 's/.*/"n&"/' | paste -sd,)
(cd "$tree" && seq 1 64 | sed 's/^/n/' | xargs touch)
ask lookup "{\"dir\":$root,\"names\":[$names],\"open\":true}"
is "lookup of 64, opened" "$(printf '%s' "$R" | grep -o '"fd":[0-9]*' | wc -l)" 64
h=$(found 1)
ask lookup "{\"dir\":$root,\"names\":[$names,\"one\"],\"open\":false}"; fails "lookup of 65" E2BIG
# a file that the host puts in another's place gets a handle of its own
mv "$tree/n2" "$tree/n1"
ask lookup "{\"dir\":$root,\"names\":[\"n1\"],\"open\":true}"
is "lookup: a replaced file" "$(field ino)" "$(stat -c %i "$tree/n1")"
ask getattr "{\"node\":$h}"; fails "lookup: the old handle" ESTALE
# links whose targets are long: as many as fit, none broken
mkdir "$tree/links"
for i in $(seq 1 40); do ln -s "$(repeat x 2000)" "$tree/links/l$i"; done
names=$(seq 1 40 | sed 's/.*/"l&"/' | paste -sd,)
ask lookup "{\"dir\":$(walk_to links),\"names\":[$names],\"open\":true}"
is "lookup: long links" "$(printf '%s' "$R" | grep -o '"error":0' | wc -l)" 40
true_that "lookup: whole targets or none" [ -z "$(printf '%s' "$R" | grep -o '"target":"x*"' | grep -vE '"(x{2000})?"$')" ]
rm -r "$tree/links"
