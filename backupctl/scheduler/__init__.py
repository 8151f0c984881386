"""Run one task or thousands at once on worker threads."""
