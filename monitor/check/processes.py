"""Where the processes that read files come from.

On Linux one server process imports everything that measuring needs (0.5 s) while its parent still
reads its own modules; every checker is then a fork of it, begun in 10 ms, whose memory is shared.
The server has one thread and opens no file, so a fork of it is safe whatever threads the parent
has. Elsewhere system libraries do not survive a fork, and checkers import for themselves.

No process started here hears Ctrl-C: its parent ends it instead.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

PRELOADED = ["__main__", "monitor.check.one_file"]
ONE_THREAD = "OPENBLAS_NUM_THREADS"  # of numpy: the other cores have files of their own


def warm_up() -> None:
    """Start the server if there is to be one; it goes on by itself."""
    if sys.platform == "linux":
        from multiprocessing import forkserver

        multiprocessing.get_context("forkserver").set_forkserver_preload(PRELOADED)
        with _single_threaded(), _sigint_blocked():
            forkserver.ensure_running()


def start(work: Callable[..., None], *arguments: object) -> BaseProcess:
    """Start a process that does ``work`` and ends when this one does."""
    warm_up()
    with _single_threaded(), _sigint_blocked():
        if sys.platform == "linux":
            process: BaseProcess = multiprocessing.get_context("forkserver").Process(
                target=work, args=arguments, daemon=True
            )
        else:
            process = multiprocessing.get_context("spawn").Process(
                target=work, args=arguments, daemon=True
            )
        process.start()
    return process


def pipe() -> tuple[Connection, Connection]:
    """Return both ends of a pipe."""
    return multiprocessing.get_context("spawn").Pipe()


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Let processes begun meanwhile find numpy's threads set to one, unless the user said."""
    if ONE_THREAD in os.environ:
        yield
        return
    os.environ[ONE_THREAD] = "1"
    try:
        yield
    finally:
        del os.environ[ONE_THREAD]


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Block Ctrl-C; a process begun meanwhile never hears it.

    multiprocessing's own tracker unblocks it when it starts, so that must have happened before.
    """
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
