"""What the program does: plain functions and state machines that neither speak HTTP nor show anything."""
