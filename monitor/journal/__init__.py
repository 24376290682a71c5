"""The journal: what happened, never lost once said to be durable. SQLite."""
