"""The five rooms are top-level packages (docs/decisions/0001): nobody else may have their names."""

from importlib.metadata import packages_distributions

import pytest

ROOMS = ("config", "capture", "monitor", "api", "dashboard")


@pytest.mark.parametrize("room", ROOMS)
def test_no_other_installed_distribution_has_a_package_of_this_name(room: str) -> None:
    owners = set(packages_distributions().get(room, []))
    assert owners <= {"takewatch"}, f"{owners - {'takewatch'}} would hide ours, or ours theirs"


def test_the_guard_sees_the_packages_that_are_installed() -> None:
    assert "pytest" in packages_distributions()["pytest"]
