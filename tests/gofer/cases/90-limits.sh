# few descriptors: nodes are opened again as needed; a deep tree; many handles
gid=$(id -g)
mkdir "$tree/many"
(cd "$tree/many" && seq 1 600 | xargs mkdir)
deep=$tree/deepest
mkdir "$deep"
(cd "$deep" && for ((i = 0; i < 500; i++)); do mkdir d && cd d || exit; done; echo bottom >bottom)
(
	ulimit -n 400
	{
		echo 'attach {"tree":0}'
		for i in $(seq 1 600); do echo "walk {\"dir\":1,\"names\":[\"many\",\"$i\"]}"; done # 2, 3; 4, 5; ... 1201
		for k in 1 2; do
			for i in $(seq 1 600); do
				echo "mkdir {\"dir\":$((1 + 2 * i)),\"name\":\"x$k\",\"mode\":448,\"uid\":$EUID,\"gid\":$gid}"
				echo "readdir {\"dir\":$((1 + 2 * i)),\"cookie\":0}"
			done
		done
	} | "$IPCCTL" --spawn "$GOFER --root $tree --ipc-fd {fd}" gofer - >"$work/answers" 2>>"$work/log"
)
is "few descriptors: answers" "$(wc -l <"$work/answers")" $((1 + 600 + 2400))
is "few descriptors: errors" "$(grep -c '"error":{' "$work/answers")" 0
is "few descriptors: directories made" "$(ls -d "$tree"/many/*/x[12] | wc -l)" 1200
is "few descriptors: directories read" "$(grep -c '"entries":\[{.*"end":true' "$work/answers")" 1200

(
	ulimit -n 400
	# down in steps of 50; handles 1, then 2-51, 52-101, ... : the last of each step is the next's start
	{
		echo 'attach {"tree":0}'
		echo 'walk {"dir":1,"names":["deepest"]}'
		at=2
		next=3
		names=$(printf ',"d"%.0s' $(seq 50))
		for i in 1 2 3 4 5 6 7 8 9 10; do
			echo "walk {\"dir\":$at,\"names\":[${names:1}]}"
			at=$((next + 49))
			next=$((next + 50))
		done
		echo "walk {\"dir\":$at,\"names\":[\"bottom\"]}"
		file=$next
		# push all of them out, then come back
		for i in $(seq 1 600); do echo "walk {\"dir\":1,\"names\":[\"many\",\"$i\",\"x1\",\"none\"]}"; done
		echo "open {\"node\":$file,\"flags\":0}"
		echo "getattr {\"node\":$file}"
	} | "$IPCCTL" --spawn "$GOFER --root $tree --ipc-fd {fd}" gofer - >"$work/answers" 2>>"$work/log"
)
R=$(tail -1 "$work/answers")
want "deep: getattr" '"size":7'
is "deep: errors" "$(grep -c '"error":{' "$work/answers")" 0

# more handles than there may be: refused, and good again after a release
start
is "many handles" "$(
	{
		echo 'attach {"tree":0}'
		names=$(printf ',"d"%.0s' $(seq 62))
		for ((i = 0; i < 17000; i++)); do echo "walk {\"dir\":1,\"names\":[\"deepest\"$names]}"; done
		echo "release {\"nodes\":[$(seq -s, 2 4000)]}"
		echo 'walk {"dir":1,"names":["file"]}'
	} | "$IPCCTL" --spawn "$GOFER --root $tree --ipc-fd {fd}" gofer - 2>>"$work/log" | grep -o '"error":[0-9]*' | sort | uniq -c | sed 's/.*"error"://' | tr '\n' ' '
)" "0 23 "
