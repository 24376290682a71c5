"""The hub: where lines meet rules, takes and records. Pure; ``api/session.py`` carries it out."""
