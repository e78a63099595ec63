# on which processor it runs: where it is waited for, if it was given that one, until it is told to leave
server_pid() { # ipcctl's youngest descendant
	local p=$ctl_pid c
	while c=$(cat "/proc/$p/task/$p/children" 2>/dev/null) && [ -n "$c" ]; do p=${c%% *}; done
	echo "$p"
}
may_run_on() { sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$(server_pid)/status"; }
near() { ask near "{\"cpu\":$1,\"leave\":$2}"; want "near $1 $2" '\{\}'; ask getattr "{\"node\":$root}"; want "it goes on" '"mode":'; }
all=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
first=${all%%[-,]*}
last=${all##*[-,]}
start
is "it runs where its caller may" "$(may_run_on)" "$all"
near "$last" false
is "near: there and nowhere else" "$(may_run_on)" "$last"
near "$first" false
is "near: on another" "$(may_run_on)" "$first"
near 1023 false
is "near: not on one that there is not" "$(may_run_on)" "$first"
near 1023 true
is "leave: anywhere, also when it was not there" "$(may_run_on)" "$all"
near "$last" false
near "$last" true
is "leave: anywhere" "$(may_run_on)" "$all"
ask --raw 950103001e92cd0400c2
fails "a number that no processor can have" ECONNRESET
stop
# what it was not given at its start it does not take
GOFER_GIVEN=$GOFER
GOFER="taskset -c $first $GOFER_GIVEN"
start
is "given one" "$(may_run_on)" "$first"
near "$last" false
is "given one: near" "$(may_run_on)" "$first"
near "$first" true
is "given one: leave" "$(may_run_on)" "$first"
stop
GOFER=$GOFER_GIVEN
