# mkdir, mknod, symlink, link, unlink, rename, readlink
start
me=$EUID mygid=$(id -g)
own="\"uid\":$me,\"gid\":$mygid"
d=$(walk_to dir) f=$(walk_to file) l=$(walk_to link)
fails_on_bad_names() { # METHOD JSON with NAME in it
	local n
	for n in '"."' '".."' '""' '"a/b"'; do
		ask "$1" "${2//NAME/$n}"; fails "$1: name $n" EINVAL
	done
}
fails_on_bad_names mknod "{\"dir\":$root,\"name\":NAME,\"mode\":4516,\"rdev\":0,$own}"
fails_on_bad_names symlink "{\"dir\":$root,\"name\":NAME,\"target\":\"t\",$own}"
fails_on_bad_names link "{\"dir\":$root,\"name\":NAME,\"node\":$f}"
fails_on_bad_names unlink "{\"dir\":$root,\"name\":NAME,\"directory\":true}"
fails_on_bad_names rename "{\"old_dir\":$root,\"old_name\":NAME,\"new_dir\":$root,\"new_name\":\"x\",\"flags\":0}"
fails_on_bad_names rename "{\"old_dir\":$root,\"old_name\":\"file\",\"new_dir\":$root,\"new_name\":NAME,\"flags\":0}"

ask mkdir "{\"dir\":$root,\"name\":\"made\",\"mode\":$((01777)),$own}"; want "mkdir" '"node":'
m=$(node)
is "mkdir: mode" "$(stat -c '%a %u %g' "$tree/made")" "1777 $me $mygid"
ask mkdir "{\"dir\":$root,\"name\":\"made\",\"mode\":493,$own}"; fails "mkdir: what is there" EEXIST
ask mkdir "{\"dir\":$root,\"name\":\"out\",\"mode\":493,$own}"; fails "mkdir: a link that is there" EEXIST
ask mkdir "{\"dir\":$f,\"name\":\"x\",\"mode\":493,$own}"; fails "mkdir: in a file" ENOTDIR
ask mkdir "{\"dir\":$l,\"name\":\"x\",\"mode\":493,$own}"; fails "mkdir: in a link" ENOTDIR

for t in "fifo:$((010644)):644:fifo" "socket:$((0140600)):600:socket" "regular:$((0100640)):640:regular empty file" "notype:$((0600)):600:regular empty file"; do
	IFS=: read -r n mode perm type <<<"$t"
	ask mknod "{\"dir\":$m,\"name\":\"$n\",\"mode\":$mode,\"rdev\":0,$own}"
	is "mknod: $n" "$(stat -c '%a %F' "$tree/made/$n")" "$perm $type"
done
ask mknod "{\"dir\":$m,\"name\":\"null\",\"mode\":$((020666)),\"rdev\":259,$own}"; fails "mknod: device" EPERM
ask mknod "{\"dir\":$m,\"name\":\"blk\",\"mode\":$((060666)),\"rdev\":259,$own}"; fails "mknod: block device" EPERM
ask mknod "{\"dir\":$m,\"name\":\"x\",\"mode\":$((040755)),\"rdev\":0,$own}"; fails "mknod: directory" EINVAL
ask mknod "{\"dir\":$m,\"name\":\"x\",\"mode\":$((0120755)),\"rdev\":0,$own}"; fails "mknod: link" EINVAL
ask mknod "{\"dir\":$m,\"name\":\"fifo\",\"mode\":$((010644)),\"rdev\":0,$own}"; fails "mknod: what is there" EEXIST

ask symlink "{\"dir\":$m,\"name\":\"sl\",\"target\":\"../../../etc/passwd\",$own}"; want "symlink" '"node":'
ask readlink "{\"node\":$(node)}"; is "readlink" "$R" '{"target":"../../../etc/passwd"}'
ask symlink "{\"dir\":$m,\"name\":\"odd\",\"target\":{\"hex\":\"ff2f\"},$own}"; ask readlink "{\"node\":$(node)}"
is "readlink: not UTF-8" "$R" '{"target":{"hex":"ff2f"}}'
ask symlink "{\"dir\":$m,\"name\":\"sl\",\"target\":\"x\",$own}"; fails "symlink: what is there" EEXIST
ask symlink "{\"dir\":$m,\"name\":\"e\",\"target\":\"\",$own}"; fails "symlink: empty" ENOENT
ask symlink "{\"dir\":$m,\"name\":\"long\",\"target\":\"$(repeat t 4095)\",$own}"; want "symlink: 4095 bytes" '"size":4095'
ask readlink "{\"node\":$(node)}"; is "readlink: 4095 bytes" "${#R}" $((4095 + 13))
ask readlink "{\"node\":$f}"; fails "readlink of a file" EINVAL

ask link "{\"dir\":$m,\"name\":\"hard\",\"node\":$f}"; want "link" '"nlink":2'
is "link: inode" "$(stat -c %i "$tree/made/hard")" "$(stat -c %i "$tree/file")"
ask link "{\"dir\":$m,\"name\":\"hard\",\"node\":$f}"; fails "link: what is there" EEXIST
ask link "{\"dir\":$root,\"name\":\"x\",\"node\":$d}"; fails "link: directory" EPERM
ask link "{\"dir\":$m,\"name\":\"hardlink\",\"node\":$l}"
is "link: a link itself" "$(readlink "$tree/made/hardlink")" file

ask unlink "{\"dir\":$m,\"name\":\"hard\",\"directory\":false}"; want "unlink" '\{\}'
true_that "unlink" [ ! -e "$tree/made/hard" ]
ask unlink "{\"dir\":$m,\"name\":\"hard\",\"directory\":false}"; fails "unlink: nothing there" ENOENT
ask unlink "{\"dir\":$root,\"name\":\"made\",\"directory\":false}"; fails "unlink: a directory" EISDIR
ask unlink "{\"dir\":$root,\"name\":\"made\",\"directory\":true}"; fails "rmdir: not empty" ENOTEMPTY
ask unlink "{\"dir\":$root,\"name\":\"file\",\"directory\":true}"; fails "rmdir: a file" ENOTDIR
ask unlink "{\"dir\":$root,\"name\":\"out\",\"directory\":false}"; want "unlink: a link" '\{\}'
true_that "unlink: the link's target stays" [ -e "$outside/secret" ]
ask mkdir "{\"dir\":$root,\"name\":\"gone\",\"mode\":493,$own}"; g=$(node)
ask unlink "{\"dir\":$root,\"name\":\"gone\",\"directory\":true}"; want "rmdir" '\{\}'
ask getattr "{\"node\":$g}"; want "a removed directory's handle" '"nlink":0'
ask mkdir "{\"dir\":$g,\"name\":\"x\",\"mode\":493,$own}"; fails "mkdir in a removed directory" ENOENT
ask readdir "{\"dir\":$g,\"cookie\":0}"; fails "readdir of a removed directory" ENOENT

# a removed file goes on for those who have it
echo data >"$tree/t"; t=$(walk_to t)
ask unlink "{\"dir\":$root,\"name\":\"t\",\"directory\":false}"
ask getattr "{\"node\":$t}"; want "a removed file's handle" '"nlink":0'
ask setattr "{\"node\":$t,\"valid\":33,\"mode\":$((0400)),\"uid\":0,\"gid\":0,\"size\":0,\"atime\":0,\"mtime\":5}"
want "setattr of a removed file" "\"mode\":$((0100400)).*\"mtime\":5,"
ask open "{\"node\":$t,\"flags\":0}"; fails "open of a removed file" ESTALE
ask fallocate "{\"node\":$t,\"mode\":0,\"offset\":0,\"length\":5}"; fails "fallocate of a removed file" ESTALE
echo new >"$tree/t"
ask getattr "{\"node\":$t}"; want "still the removed one" '"nlink":0'
is "the new one is another" "$(t=$(walk_to t); ask getattr "{\"node\":$t}"; field nlink)" 1

ren() { ask rename "{\"old_dir\":$1,\"old_name\":\"$2\",\"new_dir\":$3,\"new_name\":\"$4\",\"flags\":$5}"; }
ask walk "{\"dir\":$root,\"names\":[\"dir\",\"secret\"]}"; s=$(node 2)
ren "$root" dir "$m" moved 0; want "rename" '\{\}'
ask getattr "{\"node\":$s}"; want "a node below a renamed directory" '"size":7'
ask open "{\"node\":$s,\"flags\":0}"; want "open below a renamed directory" '"fd":'
ask getattr "{\"node\":$d}"; is "the renamed directory" "$(field ino)" "$(stat -c %i "$tree/made/moved")"
ask walk "{\"dir\":$d,\"names\":[\"sub\"]}"; want "walk below it" '"error":0'
ren "$m" moved "$d" x 0; fails "rename below itself" EINVAL
ren "$root" none "$m" x 0; fails "rename of nothing" ENOENT
ren "$root" file "$m" moved 0; fails "rename of a file over a directory" EISDIR
ren "$m" moved "$root" file 0; fails "rename of a directory over a file" ENOTDIR
ren "$root" file "$root" t 1; fails "rename with NOREPLACE" EEXIST
ren "$root" file "$root" t2 1; want "rename with NOREPLACE" '\{\}'
ask getattr "{\"node\":$f}"; want "the renamed file" '"size":6'
t=$(walk_to t)
ren "$root" t "$m" moved 2; want "rename with EXCHANGE" '\{\}'
is "exchanged" "$(cat "$tree/made/moved")" new
ask getattr "{\"node\":$s}"; want "a node below an exchanged directory" '"size":7'
ask getattr "{\"node\":$t}"; want "the exchanged file" '"size":4'
ren "$root" t "$root" t2 3; fails "rename with both flags" EINVAL
ren "$root" t2 "$m" moved 0; want "rename over a file" '\{\}'
ask getattr "{\"node\":$t}"; want "the file that was there" '"nlink":0'
ask getattr "{\"node\":$f}"; want "the file that is there now" '"nlink":1'
