"""The command line: parse arguments, run commands, print results and return the exit code."""
