"""The routes, one subject a file; ``api/app.py`` lists them."""
