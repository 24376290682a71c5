"""The tests. ``tests/rigs`` holds real parts without hardware."""
