"""The embedded appliance: a vCenter Server appliance's backup API over a state that is a function of the clock.

It shares no code with ``backupctl.api`` or ``backupctl.models``, so that a misreading of the API cannot hide in both.
"""
