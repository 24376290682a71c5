"""Sources: everything that touches a device or a network."""
