"""What the program does: plain functions and state machines that see the appliance through a Protocol."""
