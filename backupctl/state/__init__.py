"""What the program keeps between runs, in its state directory."""
