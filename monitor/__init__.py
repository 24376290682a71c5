"""Metrics, rules, takes, workers, hub, journal and reports."""
