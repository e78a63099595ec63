# what is mounted over a file of the tree: the directory's entry says nothing of it
mkdir "$tree/m"; echo below >"$tree/m/device"; echo below >"$tree/m/file"; echo above >"$tree/above"
if mount --bind /dev/null "$tree/m/device" 2>/dev/null; then
	mount --bind "$tree/above" "$tree/m/file"
	start
	ask list "{\"dirs\":[$(walk_to m)],\"lookup\":2,\"open\":true}"
	is "list: a mounted device is found" "$(printf '%s' "$R" | grep -o '"mode":8[0-9]*' | wc -l)" 1
	is "list: and not opened, but the mounted file is" "$(printf '%s' "$R" | grep -o '"fd":[0-9]' | wc -l)" 1
	want "list: the mounted file's attributes" "\"ino\":$(stat -c %i "$tree/above"),\"mode\":33188"
	stop
	umount "$tree/m/device" "$tree/m/file"
else
	echo "skipped: mounts need root"
fi
