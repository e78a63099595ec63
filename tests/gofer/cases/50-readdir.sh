# readdir: everything once, without . and .., in several answers
start
all() { # HANDLE: the names, a line each, of all answers; answers in $answers
	local cookie=0
	answers=0
	while :; do
		ask readdir "{\"dir\":$1,\"cookie\":$cookie}"
		answers=$((answers + 1))
		[[ $R == *'"entries"'* ]] || { echo "error: $R"; return; }
		printf '%s\n' "$R" | grep -o '"name":"[^"]*"' | sed 's/^"name":"//; s/"$//'
		[[ $R == *'"end":true'* ]] && return
		cookie=$(printf '%s' "$R" | grep -o '"cookie":[0-9]*' | tail -1 | sed 's/.*://')
		[ -n "$cookie" ] || { echo "no cookie: $R"; return; }
	done
}
is "readdir" "$(all "$root" | sort)" "$(ls -A "$tree" | LC_ALL=C sort)"
ask readdir "{\"dir\":$root,\"cookie\":0}"
want "readdir: one answer is enough" '"end":true'
want "readdir: types" "\"type\":4,\"cookie\":[0-9]+,\"name\":\"dir\""
want "readdir: type of a link" "\"type\":10,\"cookie\":[0-9]+,\"name\":\"link\""
want "readdir: inode" "\"ino\":$(stat -c %i "$tree/fifo"),\"type\":1,"
is "readdir: an empty one" "$(d=$(walk_to dir sub); ask readdir "{\"dir\":$d,\"cookie\":0}"; echo "$R")" '{"entries":[],"end":true}'
f=$(walk_to file)
ask readdir "{\"dir\":$f,\"cookie\":0}"; fails "readdir of a file" ENOTDIR
ask readdir "{\"dir\":$(walk_to out),\"cookie\":0}"; fails "readdir of a link" ENOTDIR
ask readdir "{\"dir\":$root,\"cookie\":9223372036854775807}"
true_that "readdir: a cookie of nowhere" [ -n "$(printf '%s' "$R" | grep -e '"entries":\[\]' -e EINVAL)" ]
# what was made since is seen
touch "$tree/newest"
ask readdir "{\"dir\":$root,\"cookie\":0}"; want "readdir: begun again" '"name":"newest"'

mkdir "$tree/big"
(cd "$tree/big" && seq 1 5000 | sed 's/^/a-rather-long-file-name-number-/' | xargs touch)
b=$(walk_to big)
all "$b" | sort >"$work/got"
all "$b" >/dev/null
ls "$tree/big" | LC_ALL=C sort >"$work/expected"
true_that "readdir of 5000" cmp -s "$work/got" "$work/expected"
true_that "readdir of 5000: in few answers ($answers)" [ "$answers" -le 16 ]
mkdir "$tree/short"
(cd "$tree/short" && seq 1000 6000 | sed 's/./&/' | xargs touch)
all "$(walk_to short)" | sort >"$work/got"
ls "$tree/short" | LC_ALL=C sort >"$work/expected"
true_that "readdir of 5001 short names" cmp -s "$work/got" "$work/expected"
# two readers of one directory
ask readdir "{\"dir\":$b,\"cookie\":0}"
c=$(printf '%s' "$R" | grep -o '"cookie":[0-9]*' | tail -1 | sed 's/.*://')
ask readdir "{\"dir\":$b,\"cookie\":$c}"; first=$R
ask readdir "{\"dir\":$(walk_to big),\"cookie\":0}"
ask readdir "{\"dir\":$b,\"cookie\":$c}"; is "readdir: back to a cookie" "$R" "$first"
