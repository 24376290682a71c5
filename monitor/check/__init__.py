"""``takewatch check``: recorded files measured and judged as live sources are."""
