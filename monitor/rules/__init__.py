"""Rules: which measurements make which alerts; pure, time is an argument."""
