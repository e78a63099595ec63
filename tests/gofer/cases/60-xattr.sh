# extended attributes
start
f=$(walk_to file) d=$(walk_to dir) l=$(walk_to link) p=$(walk_to fifo)
get() { ask getxattr "{\"node\":$1,\"name\":\"$2\"}"; }
set_x() { ask setxattr "{\"node\":$1,\"name\":\"$2\",\"value\":$3,\"flags\":${4:-0}}"; }
set_x "$f" user.a '"v"'
if [[ $R == *EOPNOTSUPP* ]]; then
	echo "skipped: $tree has no extended attributes"
	return
fi
want "setxattr" '\{\}'
get "$f" user.a; want "getxattr" '"value":("v"|\{"hex":"76"\})'
get "$f" user.none; fails "getxattr: none" ENODATA
set_x "$f" user.a '"w"' 1; fails "setxattr: XATTR_CREATE" EEXIST
set_x "$f" user.none '"w"' 2; fails "setxattr: XATTR_REPLACE" ENODATA
set_x "$f" user.a '""' 2; want "setxattr: empty value" '\{\}'
set_x "$d" user.d '{"hex":"00ff"}'; get "$d" user.d; want "getxattr of a directory" '00ff'
ask listxattr "{\"node\":$f}"; is "listxattr" "$R" '{"names":["user.a"]}'
ask removexattr "{\"node\":$f,\"name\":\"user.a\"}"; want "removexattr" '\{\}'
ask removexattr "{\"node\":$f,\"name\":\"user.a\"}"; fails "removexattr: none" ENODATA
ask listxattr "{\"node\":$f}"; is "listxattr: none" "$R" '{"names":[]}'
get "$f" security.capability; fails "getxattr: capability" ENODATA
get "$f" security.selinux; fails "getxattr: security" ENODATA
get "$f" trusted.x; fails "getxattr: trusted" ENODATA
get "$f" nonsense; fails "getxattr: nonsense" EOPNOTSUPP
get "$f" ""; fails "getxattr: no name" EINVAL
for n in security.capability trusted.x system.posix_acl_access nonsense; do
	set_x "$f" "$n" '"v"'; fails "setxattr: $n" EPERM
	ask removexattr "{\"node\":$f,\"name\":\"$n\"}"; fails "removexattr: $n" EPERM
done
for n in $l $p; do
	get "$n" user.a; fails "getxattr of a link or fifo" ENODATA
	set_x "$n" user.a '"v"'; fails "setxattr of a link or fifo" EPERM
	ask listxattr "{\"node\":$n}"; is "listxattr of a link or fifo" "$R" '{"names":[]}'
done
ask --raw "950100670f94$(printf %02x "$f")c406757365722e61c4017603"; fails "setxattr: flags 3" EPROTO
if ((is_root)); then
	# what only others may see is not listed
	perl -e 'my ($f, $n, $v) = @ARGV; exit(syscall(188, $f, $n, $v, length $v, 0) != 0)' "$tree/file" trusted.t x
	ask listxattr "{\"node\":$f}"; is "listxattr: trusted" "$R" '{"names":[]}'
fi

# several files in one request
lacking() { ask lacking "{\"nodes\":[$1],\"name\":\"$2\"}"; }
set_x "$f" user.a '"v"'
none=12345678
lacking "$f,$d,$l,$p,$none" user.a; is "lacking: user.a" "$R" '{"errors":[0,61,61,61,9]}'
lacking "$f,$d,$f,$l" ""; is "lacking: any" "$R" '{"errors":[0,0,0,61]}'
ask removexattr "{\"node\":$f,\"name\":\"user.a\"}"
ask removexattr "{\"node\":$d,\"name\":\"user.d\"}"
lacking "$f,$d" user.a; is "lacking: both lack it" "$R" '{"errors":[61,61]}'
lacking "$f,$d" ""; is "lacking: what only others may see does not count" "$R" '{"errors":[61,61]}'
lacking "$f,$d" system.posix_acl_access; want "lacking: an access list" '"errors":\[(61,61|95,95)\]'
lacking "$f" trusted.t; fails "lacking: trusted" ENODATA
lacking "$f" nonsense; fails "lacking: nonsense" EOPNOTSUPP
lacking "" user.a; is "lacking: of no file" "$R" '{"errors":[]}'
lacking "$(seq -s, 65)" user.a; fails "lacking: 65 files" E2BIG
set_x "$d" user.big "\"$(repeat x 3000)\""
lacking "$d" user.big; is "lacking: a large one" "$R" '{"errors":[0]}'
mv "$tree/file" "$tree/away"
lacking "$f,$d" user.big; is "lacking: what the host moved" "$R" '{"errors":[116,0]}'
mv "$tree/away" "$tree/file"
