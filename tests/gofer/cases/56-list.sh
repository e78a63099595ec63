# list: directories from their beginning, entries looked up and opened on the way
start
mkdir -p "$tree/l/a/deep" "$tree/l/b" "$tree/l/c"
echo one >"$tree/l/a/one"; echo two >"$tree/l/b/two"; ln -s one "$tree/l/a/link"; mkfifo "$tree/l/a/pipe"
l=$(walk_to l) a=$(walk_to l a) b=$(walk_to l b) c=$(walk_to l c)
count() { printf '%s' "$R" | grep -o "$1" | wc -l; }

ask list "{\"dirs\":[$l,$a,$b,$c],\"lookup\":0,\"open\":false}"
is "list: an answer for each" "$(count '"end":true')" 4
is "list: entries" "$(printf '%s' "$R" | grep -o '"name":"[^"]*"' | sed 's/.*:"//; s/"//' | sort | paste -sd' ')" "a b c deep link one pipe two"
is "list: nothing looked up unasked" "$(count '"entry":')" 0

ask list "{\"dirs\":[$l,$a],\"lookup\":1,\"open\":true}"
is "list: directories looked up" "$(count '"entry":')" 4
is "list: no directory is opened" "$(count '"fd":[0-9]')" 0

ask list "{\"dirs\":[$a,$b],\"lookup\":2,\"open\":true}"
is "list: all looked up" "$(count '"entry":')" 5
is "list: regular files opened" "$(count '"fd":[0-9]')" 2
want "list: a link's target" '"target":"one"'
is "list: inodes of what was looked up" \
	"$(printf '%s' "$R" | grep -o '"dev":[0-9]*,"ino":[0-9]*' | sed 's/.*://' | sort | paste -sd' ')" \
	"$(stat -c %i "$tree/l/a/deep" "$tree/l/a/one" "$tree/l/a/link" "$tree/l/a/pipe" "$tree/l/b/two" | sort | paste -sd' ')"
ask list "{\"dirs\":[$a],\"lookup\":2,\"open\":false}"; is "list: nothing opened unasked" "$(count '"fd":[0-9]')" 0

ask list "{\"dirs\":[],\"lookup\":2,\"open\":true}"; want "list of none" '"listings":\[\]'
ask list "{\"dirs\":[$(walk_to file),$b],\"lookup\":2,\"open\":false}"
want "list of a file" '"error":20'; is "list: the others all the same" "$(count '"end":true')" 1
ask list "{\"dirs\":[$(walk_to link),987654321],\"lookup\":0,\"open\":false}"
want "list of a link" '"error":20'; want "list: no such handle" '"error":9'
ask list "{\"dirs\":[$a],\"lookup\":3,\"open\":false}"; fails "list: a kind of lookup that is none" ERANGE

# more than fits: the first as far as it goes, more is read by readdir
mkdir "$tree/l/large"
(cd "$tree/l/large" && seq 1 3000 | sed 's/^/a-long-file-name-of-many-of-its-kind-/' | xargs touch)
ask list "{\"dirs\":[$(walk_to l large),$a],\"lookup\":2,\"open\":true}"
is "list of a large directory: one answer" "$(count '"end":')" 1
want "list of a large directory: not all" '"end":false'
is "list of a large directory: looked up" "$(count '"entry":')" 64
is "list of a large directory: opened" "$(count '"fd":[0-9]')" 64
# one whose entries cannot all be looked up any more is for the next request, and so are those after it
mkdir "$tree/l/forty" "$tree/l/thirty"
touch "$tree/l/forty/"{1..40} "$tree/l/thirty/"{1..30}
f=$(walk_to l forty) t=$(walk_to l thirty)
ask list "{\"dirs\":[$a,$f,$t,$c],\"lookup\":2,\"open\":false}"
is "list: only what is whole" "$(count '"end":true') $(count '"entry":')" "2 44"
ask list "{\"dirs\":[$t,$f],\"lookup\":2,\"open\":false}"; is "list: what was left out, first" "$(count '"entry":')" 30
ask list "{\"dirs\":[$a,$f,$t,$c],\"lookup\":1,\"open\":false}"; is "list: few of the kind, all whole" "$(count '"end":true')" 4
ask list "{\"dirs\":[$a,$(walk_to l large),$t],\"lookup\":0,\"open\":false}"; is "list: none in parts but the first" "$(count '"end":')" 1
# what changed since is seen
touch "$tree/l/b/new"; rm "$tree/l/b/two"
ask list "{\"dirs\":[$b],\"lookup\":0,\"open\":false}"
want "list: a new name" '"name":"new"'; is "list: a name that is gone" "$(count '"name":"two"')" 0
rm -r "$tree/l"
ask list "{\"dirs\":[$b],\"lookup\":2,\"open\":true}"; want "list: a directory that is gone" '("error":(2|116))|("entries":\[\],"end":true)'
