"""The command line: what is typed becomes plain values, and values become output and an exit code."""
