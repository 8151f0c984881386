"""Run tasks concurrently: the scheduler, its worker threads, and what tasks wait for."""
