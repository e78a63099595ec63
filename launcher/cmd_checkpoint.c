/*
 * cmd_checkpoint.c - checkpoint, restore: refused by name, so that an engine
 * that asks, with whatever options, is told why.
 */
#include "command.h"

static struct err *refuse(struct context *c, int *status)
{
	return err_new(0, "saving and restoring a sandbox is not supported yet");
}

const struct command command_checkpoint = {
	.name = "checkpoint", .arguments = "ID", .summary = "not supported yet", .unread = true, .run = refuse,
};

const struct command command_restore = {
	.name = "restore", .arguments = "ID", .summary = "not supported yet", .unread = true, .run = refuse,
};
