"""The command line. What a command needs is loaded by the command, so that each starts fast."""
