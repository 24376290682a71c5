"""What holds for every test: nothing is skipped, nothing is expected to fail.

A skipped test proves nothing, and a green run must mean that everything was tried. So on Linux,
where every rig runs, a skip or an expected failure fails the run. Elsewhere some rigs (the virtual
sound card) cannot exist, and skips are only reported.
"""

import signal
import sys

import pytest

from tests.rigs.sound_card.fixtures import card_library

__all__ = ["card_library"]

NOT_RUN = ("skipped", "xfailed", "xpassed")


# A shell that runs this in the background has it ignore Ctrl-C, and so would every child.
signal.signal(signal.SIGINT, signal.default_int_handler)


def _skips_count() -> bool:
    return sys.platform.startswith("linux")


BROWSER = "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests last: Playwright keeps an event loop running in this thread.

    While one runs, ``asyncio.run`` refuses, and so would every test after them that starts one.
    """
    items.sort(key=lambda item: BROWSER in item.path.parts)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Turn a green run with tests that were not run into a failed one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or exitstatus != pytest.ExitCode.OK or not _skips_count():
        return
    if any(reporter.stats.get(outcome) for outcome in NOT_RUN):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a run without failures is not green."""
    count = sum(len(terminalreporter.stats.get(outcome, [])) for outcome in NOT_RUN)
    if count and _skips_count():
        terminalreporter.write_line(
            f"{count} tests were skipped or expected to fail: that fails the run", red=True
        )
