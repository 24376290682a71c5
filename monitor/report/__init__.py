"""Reports: one format a file; importing this package registers them all."""
