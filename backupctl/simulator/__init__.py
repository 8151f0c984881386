"""A simulated vCenter Server appliance: its backup API, over a state that is a function of the clock.

It shares no code with ``backupctl.api`` or ``backupctl.models``, so a misreading of the API cannot hide in both.
"""
