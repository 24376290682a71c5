"""The verbs of ``takewatch``, one file each, imported only when called."""
