/*
 * trace.msg.h - the events that a trace session (control.trace_create) sends to its sink.  A SEQPACKET
 * socket receives each as a frame; in a file each frame is preceded by its length, four bytes, least
 * significant first.
 *
 * Thread and process numbers are those of the container's pid namespace.  Fields that the session did
 * not ask for are 0 or empty.
 */
PROTOCOL(trace, 1, "Events of a trace session, from the sentry to a sink.")

STRUCT(trace_ids, "the ids of a user or of a group")
	F_U64(trace_ids, real, UINT32_MAX, "real")
	F_U64(trace_ids, effective, UINT32_MAX, "effective")
	F_U64(trace_ids, saved, UINT32_MAX, "saved")
	F_U64(trace_ids, fs, UINT32_MAX, "of access to files")
END(trace_ids)

STRUCT(trace_context, "who did it, and when")
	F_U64(trace_context, dropped, UINT64_MAX, "events of the session that found no room, so far")
	F_I64(trace_context, time, INT64_MIN, INT64_MAX, "ns since the epoch")
	F_U64(trace_context, thread, UINT32_MAX, "thread")
	F_I64(trace_context, thread_start, INT64_MIN, INT64_MAX, "when it began, ns since the epoch")
	F_U64(trace_context, group, UINT32_MAX, "process")
	F_I64(trace_context, group_start, INT64_MIN, INT64_MAX, "when it began, ns since the epoch")
	F_STR(trace_context, container, 255, "container")
	F_STRUCT(trace_context, uid, trace_ids, "user")
	F_STRUCT(trace_context, gid, trace_ids, "group")
	F_U64(trace_context, cap_effective, UINT64_MAX, "capability bits")
	F_U64(trace_context, cap_permitted, UINT64_MAX, "capability bits")
	F_STR(trace_context, cwd, 4095, "working directory")
	F_STR(trace_context, process, 15, "the thread's name")
END(trace_context)

EVENT(trace, container_start, 1, "A container's first process is about to run.")
	F_STRUCT(trace_container_start, context, trace_context, "who and when")
	F_STR(trace_container_start, id, 255, "container")
	F_STRS(trace_container_start, args, 256, 4095, "argv, cut where it is long")
	F_STRS(trace_container_start, env, 256, 4095, "environment, cut where it is long")
	F_BOOL(trace_container_start, terminal, "it has a terminal")
END(trace_container_start)

EVENT(trace, clone, 2, "A thread made another, in its process or in a new one.")
	F_STRUCT(trace_clone, context, trace_context, "who and when")
	F_U64(trace_clone, thread, UINT32_MAX, "the new thread")
	F_U64(trace_clone, group, UINT32_MAX, "its process")
	F_I64(trace_clone, start, INT64_MIN, INT64_MAX, "when it began, ns since the epoch")
	F_U64(trace_clone, flags, UINT64_MAX, "Linux CLONE_*")
END(trace_clone)

EVENT(trace, exec, 3, "A process runs another program from now on.")
	F_STRUCT(trace_exec, context, trace_context, "who and when")
	F_STR(trace_exec, path, 4095, "as it was named, or the interpreter's script")
	F_STRS(trace_exec, args, 256, 4095, "argv, cut where it is long")
	F_STRS(trace_exec, env, 256, 4095, "environment, cut where it is long")
END(trace_exec)

EVENT(trace, exit_notify_parent, 4, "A process has ended; its parent is about to be told.")
	F_STRUCT(trace_exit_notify_parent, context, trace_context, "who and when")
	F_U64(trace_exit_notify_parent, status, 65535, "as wait(2) gives it")
END(trace_exit_notify_parent)

EVENT(trace, task_exit, 5, "A thread ends.")
	F_STRUCT(trace_task_exit, context, trace_context, "who and when")
	F_U64(trace_task_exit, status, 65535, "as wait(2) gives it, of its process if that ends, else of the thread")
END(trace_task_exit)

EVENT(trace, enter, 6, "A system call begins.")
	F_STRUCT(trace_enter, context, trace_context, "who and when")
	F_U64(trace_enter, number, UINT64_MAX, "which")
	F_STR(trace_enter, name, 32, "its name; empty: there is none")
	F_U64S(trace_enter, args, 6, "its arguments")
	F_STR(trace_enter, fd_path, 4095, "what the descriptor in the first argument is of, if it is one")
	F_STR(trace_enter, text, 1000, "the call as strace(1) shows it, as far as is known")
END(trace_enter)

EVENT(trace, exit, 7, "A system call is over.")
	F_STRUCT(trace_exit, context, trace_context, "who and when")
	F_U64(trace_exit, number, UINT64_MAX, "which")
	F_STR(trace_exit, name, 32, "its name; empty: there is none")
	F_U64S(trace_exit, args, 6, "its arguments")
	F_I64(trace_exit, result, INT64_MIN, INT64_MAX, "what it returns, or a negative errno")
	F_STR(trace_exit, fd_path, 4095, "what the descriptor in the first argument was of, if it is one")
	F_STR(trace_exit, text, 1000, "the call as strace(1) shows it")
END(trace_exit)
