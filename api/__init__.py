"""The service: web application, live feed, pairing and command line."""
