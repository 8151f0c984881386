"""Backup locations, read directly: one small protocol, and an adapter for each way to reach a location."""
