"""How busy a thread is: the share of its time in which it did not wait. Pure; time is an argument.

By the clock, not by the processor's time: a thread that is kept from running by others is as busy
as one that works, and has no more time to give.
"""

from typing import Final

WINDOW_NS: Final = 1_000_000_000


class Occupation:
    """A thread's waits, added up over a second each."""

    def __init__(self, t_ns: int) -> None:
        self.began_ns = t_ns
        self.waited_ns = 0
        self.share = 0.0
        """Of the last whole second; 0 before it."""

    def waited(self, from_ns: int, to_ns: int) -> None:
        """Note a wait; the end of one is when the thread is back at work."""
        self.waited_ns += to_ns - max(from_ns, self.began_ns)
        if to_ns - self.began_ns >= WINDOW_NS:
            self.share = max(0.0, 1 - self.waited_ns / (to_ns - self.began_ns))
            self.began_ns, self.waited_ns = to_ns, 0
