# as a plain user: serves what that user may reach, confined if the host has user namespaces
if ((!is_root)); then
	return # all the other cases did it
fi
chmod 755 "$work" "$tree" "$tree/dir"
cp "$GOFER" "$work/gofer"
install -d -o 65534 -g 65534 "$tree/mine"
echo secret >"$tree/roots"; chmod 600 "$tree/roots"
echo single >"$work/single"; chmod 644 "$work/single"
if ! setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Ur true 2>/dev/null; then
	echo "skipped: no user namespaces for plain users here"
	return
fi
was=$GOFER
GOFER="setpriv --reuid 65534 --regid 65534 --clear-groups $work/gofer"
start --tree "$work/single"
want "attach" '"read_only":false'
m=$(walk_to mine)
ask create "{\"dir\":$m,\"name\":\"f\",\"flags\":2,\"mode\":420,\"uid\":65534,\"gid\":65534}"; want "create" '"fd":'
is "create" "$(stat -c '%u %a' "$tree/mine/f")" "65534 644"
ask create "{\"dir\":$m,\"name\":\"g\",\"flags\":2,\"mode\":420,\"uid\":0,\"gid\":65534}"
true_that "create for another user" [ -n "$(printf '%s' "$R" | grep -e '"errno":"EPERM"' -e '"errno":"EINVAL"')" ]
true_that "create for another user leaves nothing" [ ! -e "$tree/mine/g" ]
ask mkdir "{\"dir\":$root,\"name\":\"d\",\"mode\":493,\"uid\":65534,\"gid\":65534}"; fails "mkdir in another's directory" EACCES
ask open "{\"node\":$(walk_to roots),\"flags\":0}"; fails "open of another's file" EACCES
ask open "{\"node\":$(walk_to file),\"flags\":0}"; want "open" '"fd":'
ask link "{\"dir\":$m,\"name\":\"l\",\"node\":$(walk_to mine f)}"; want "link" '"nlink":2'
ask readlink "{\"node\":$(walk_to link)}"; want "readlink" '"target":"file"'
ask attach '{"tree":1}'; want "a single file" '"size":7'
ask open "{\"node\":$(node),\"flags\":0}"; want "a single file: open" '"fd":'
ask "!cat $(field fd)"; is "a single file: content" "$R" '{"data":"single\n"}'
stop
GOFER=$was
rm -f "$work/single"
