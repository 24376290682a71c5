"""Why a journal cannot be used.

::

    JournalError
    ├── JournalBusy      another takewatch writes this folder
    └── JournalNewer     written by a newer takewatch
"""


class JournalError(Exception):
    """The journal cannot be used; the message is for an operator."""


class JournalBusy(JournalError):
    """Another takewatch writes this folder."""


class JournalNewer(JournalError):
    """The file was written by a newer takewatch."""
