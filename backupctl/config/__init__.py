"""Settings: flag > environment > file > default, each value with its source; the only reader of the environment."""
