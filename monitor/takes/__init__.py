"""Takes: what was rolled when, which alert and which shooting day it belongs to. Pure."""
