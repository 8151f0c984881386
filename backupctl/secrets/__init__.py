"""Secrets as values that hide themselves, the mask over texts that repeat them, and where they come from."""
