"""Trigger, watch and check file-based backups of VMware vCenter Server appliances."""

__version__ = "0.1.0"
