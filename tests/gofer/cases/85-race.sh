# others rename while walks go on: never an answer from outside
inside=$(stat -c %i "$tree/dir/secret") beyond=$(stat -c %i "$outside/secret")
ln -s "$outside" "$tree/swap"
linkino=$(stat -c %i "$tree/swap")
exchange "$tree/dir" "$tree/swap"
n=3000 gid=$(id -g)
{
	echo 'attach {"tree":0}'
	for ((i = 0; i < n; i++)); do
		echo 'walk {"dir":1,"names":["dir","secret"]}'
	done
} | "$IPCCTL" --spawn "$GOFER --root $tree --ipc-fd {fd}" gofer - >"$work/answers" 2>>"$work/log"
is "swapped: answers" "$(wc -l <"$work/answers")" $((n + 1))
is "swapped: answers from outside" "$(grep -c "\"ino\":$beyond[,}]" "$work/answers")" 0
true_that "swapped: some inside" grep -q "\"ino\":$inside," "$work/answers"
true_that "swapped: some at the link" grep -q "\"ino\":$linkino," "$work/answers"

# a held directory handle, its files and changes below it
{
	echo 'attach {"tree":0}'
	for ((i = 0; i < n; i++)); do
		echo 'walk {"dir":1,"names":["dir"]}'
	done
	for ((i = 2; i < n; i++)); do
		echo "walk {\"dir\":$i,\"names\":[\"secret\"]}"
		echo "open {\"node\":$i,\"flags\":0}"
		echo "getattr {\"node\":$i}"
		echo "mkdir {\"dir\":$i,\"name\":\"made$i\",\"mode\":448,\"uid\":$EUID,\"gid\":$gid}"
		echo "unlink {\"dir\":$i,\"name\":\"made$i\",\"directory\":true}"
	done
} >"$work/questions"
"$IPCCTL" --spawn "$GOFER --root $tree --ipc-fd {fd}" gofer - <"$work/questions" >"$work/answers" 2>>"$work/log"
is "by handle: answers" "$(wc -l <"$work/answers")" "$(wc -l <"$work/questions")"
is "by handle: answers from outside" "$(grep -c "\"ino\":$beyond[,}]" "$work/answers")" 0
kill "$swapper"
is "nothing was made outside" "$(ls -A "$outside")" secret

# a file swapped with a link to one outside, while it is opened and changed
ln -s "$outside/secret" "$tree/fswap"
printf 'outside\n' >"$outside/secret"
chmod 644 "$outside/secret"
exchange "$tree/file" "$tree/fswap"
{
	echo 'attach {"tree":0}'
	for ((i = 0; i < n; i++)); do
		echo 'walk {"dir":1,"names":["file"]}'
	done
	for ((i = 2; i < n; i++)); do
		echo "open {\"node\":$i,\"flags\":513}"
		echo "setattr {\"node\":$i,\"valid\":1,\"mode\":0,\"uid\":0,\"gid\":0,\"size\":0,\"atime\":0,\"mtime\":0}"
		echo "setattr {\"node\":$i,\"valid\":8,\"mode\":0,\"uid\":0,\"gid\":0,\"size\":1,\"atime\":0,\"mtime\":0}"
	done
} >"$work/questions"
"$IPCCTL" --spawn "$GOFER --root $tree --ipc-fd {fd}" gofer - <"$work/questions" >"$work/answers" 2>>"$work/log"
kill "$swapper"
is "a file: answers" "$(wc -l <"$work/answers")" "$(wc -l <"$work/questions")"
is "a file: answers from outside" "$(grep -c "\"ino\":$beyond[,}]" "$work/answers")" 0
is "a file: outside is untouched" "$(cat "$outside/secret") $(stat -c %a "$outside/secret")" "outside 644"
