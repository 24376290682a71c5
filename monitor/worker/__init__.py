"""The worker process: one source watched, JSON lines in and out."""
