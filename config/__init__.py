"""Settings, technical specs and their loading."""
