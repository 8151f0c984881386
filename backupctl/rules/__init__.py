"""What can be judged without the appliance, before anything is sent to it; no I/O, no settings."""
