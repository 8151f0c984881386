"""What the program does: plain functions and state machines; they name the API class for the type checker only."""
