"""What tests share: a clock that costs nothing, a command line that runs in this process."""
