import itertools
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from monitor.records import Take
from monitor.takes.book import BACK_LIMIT_S, TakeBook, TakeError

NS = 1_000_000_000
UTC_NS = 1_700_000_000 * NS
GROUPS = ["A camera", "B camera", "sound"]
DAY = "2026-03-02"


def ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"t{next(numbers)}"


@pytest.fixture
def book() -> TakeBook:
    return TakeBook("Film", "Main unit", GROUPS, ids())


def roll(book: TakeBook, s: float, **fields: object) -> Take:
    t_ns = round(s * NS)
    return book.roll(t_ns, UTC_NS + t_ns, DAY, **fields)  # type: ignore[arg-type]  # by test


def cut(book: TakeBook, s: float, groups: list[str] | None = None) -> Take:
    t_ns = round(s * NS)
    return book.cut(t_ns, UTC_NS + t_ns, groups)


def slate(take: Take) -> tuple[str, str, int]:
    return take.scene, take.slate, take.take


def test_the_plain_button_rolls_and_cuts_all_groups(book: TakeBook) -> None:
    take = roll(book, 10, scene="27", slate="27/7")
    assert book.rolling_groups() == frozenset(GROUPS)
    assert take.rolling
    take = cut(book, 20)
    assert [(p.group, p.roll_ns, p.cut_ns) for p in take.parts] == [
        (group, 10 * NS, 20 * NS) for group in GROUPS
    ]
    assert take.parts[0].cut_utc_ns == UTC_NS + 20 * NS
    assert book.rolling_groups() == frozenset()


def test_the_same_slate_counts_on_and_another_begins_at_one(book: TakeBook) -> None:
    roll(book, 1, scene="27", slate="27/7")
    cut(book, 2)
    assert slate(book.next_take) == ("27", "27/7", 2)
    assert slate(roll(book, 3)) == ("27", "27/7", 2)
    cut(book, 4)
    assert slate(roll(book, 5, slate="27/8")) == ("27", "27/8", 1)
    cut(book, 6)
    assert slate(book.edit("next", scene="28")) == ("28", "27/8", 1)


def test_going_back_to_a_slate_counts_on_from_its_last_take(book: TakeBook) -> None:
    for second, name in enumerate(["27/7", "27/7", "27/8"]):
        roll(book, second * 10 + 1, slate=name)
        cut(book, second * 10 + 2)
    assert slate(book.edit("next", slate="27/7")) == ("", "27/7", 3)


@pytest.mark.parametrize("text", ["27/7", "2PK", "3*", "WT 49", "32A", "Szene Ü"])
def test_slates_are_free_text(book: TakeBook, text: str) -> None:
    assert roll(book, 1, slate=f" {text} ").slate == text


def test_groups_roll_and_cut_on_their_own_and_join_a_rolling_take(book: TakeBook) -> None:
    first = roll(book, 10, groups=["A camera"])
    joined = roll(book, 12, groups=["sound"])
    assert joined.id == first.id
    assert book.rolling_groups() == {"A camera", "sound"}
    cut(book, 15, ["A camera"])
    assert book.rolling_groups() == {"sound"}
    assert roll(book, 16, groups=["B camera"]).id == first.id
    with pytest.raises(TakeError, match="A camera was cut already in this take"):
        roll(book, 17, groups=["A camera"])
    assert roll(book, 18, groups=["A camera"], take=2).take == 2


def test_the_plain_button_rolls_whoever_does_not_roll_yet(book: TakeBook) -> None:
    roll(book, 10, groups=["A camera"])
    assert len(roll(book, 11).parts) == 3


def test_marks_that_cannot_be_made_say_why(book: TakeBook) -> None:
    with pytest.raises(TakeError, match="nothing is rolling"):
        cut(book, 1)
    roll(book, 1, groups=["sound"])
    with pytest.raises(TakeError, match="sound is already rolling; cut first"):
        roll(book, 2, groups=["sound"])
    with pytest.raises(TakeError, match="A camera and B camera are not rolling"):
        cut(book, 2, ["A camera", "B camera"])
    with pytest.raises(TakeError, match="no group C camera; there is A camera, B camera and sound"):
        roll(book, 2, groups=["C camera"])
    roll(book, 3)
    with pytest.raises(TakeError, match="everything is already rolling"):
        roll(book, 4)
    with pytest.raises(TakeError, match="no take with the id 'x'"):
        book.edit("x", notes="")
    with pytest.raises(TakeError, match="there is no group of sources to roll"):
        TakeBook("Film", "Main unit", [], ids()).roll(1, 1, DAY)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"take": 0}, "take: found 0, expected 1 to 9999"),
        ({"take": True}, "take: found True"),
        ({"scene": "x" * 33}, "scene: found 33 characters, expected at most 32"),
        ({"notes": 5}, "notes: found 5, expected text"),
        ({"circled": "yes"}, "circled: found 'yes', expected true or false"),
        ({"parts": []}, "parts cannot be edited"),
        ({"roll_back_s": 61}, "roll back: found 61 s, expected 0 to 60 s"),
        ({"roll_back_s": "now"}, "roll back: found 'now', expected seconds"),
    ],
)
def test_edits_out_of_range_are_refused_and_change_nothing(
    book: TakeBook, fields: dict[str, object], why: str
) -> None:
    take = roll(book, 100)
    cut(book, 110)
    before = book.takes
    with pytest.raises(TakeError, match=why):
        book.edit(take.id, **fields)
    assert book.takes == before


def test_notes_circles_and_false_starts_are_kept(book: TakeBook) -> None:
    take = roll(book, 1)
    edited = book.edit(take.id, notes="plane at the end", circled=True, false_start=True)
    assert (edited.notes, edited.circled, edited.false_start) == ("plane at the end", True, True)
    assert book.edit(take.id, circled=False, notes=None).notes == "plane at the end"


def test_a_roll_moves_back_but_never_over_the_groups_previous_cut(book: TakeBook) -> None:
    roll(book, 10, groups=["A camera"])
    cut(book, 95)
    take = roll(book, 100)
    moved = book.edit(take.id, roll_back_s=20)
    assert {p.group: p.roll_ns for p in moved.parts} == {
        "A camera": 95 * NS, "B camera": 80 * NS, "sound": 80 * NS,
    }  # fmt: skip
    assert moved.parts[1].roll_utc_ns == UTC_NS + 80 * NS


def test_a_roll_moves_back_sixty_seconds_in_all(book: TakeBook) -> None:
    take = roll(book, 1000)
    book.edit(take.id, roll_back_s=40)
    with pytest.raises(TakeError, match="moves back 60 s at most; this one already did 40 s"):
        book.edit(take.id, roll_back_s=30)
    assert book.edit(take.id, roll_back_s=20).parts[0].roll_ns == 940 * NS


def test_a_roll_can_be_pressed_late(book: TakeBook) -> None:
    assert roll(book, 100, back_s=8).parts[0].roll_ns == 92 * NS
    cut(book, 101)
    with pytest.raises(TakeError, match="found 61 s"):
        roll(book, 200, back_s=61)


def test_a_take_covers_from_its_roll_up_to_its_cut(book: TakeBook) -> None:
    first = roll(book, 10)
    cut(book, 20)
    second = roll(book, 20)
    assert book.covering(9 * NS, "sound") is None
    assert book.covering(10 * NS, "sound") == book.takes[0]
    covered = book.covering(20 * NS - 1, "sound")
    assert covered is not None
    assert covered.id == first.id
    assert book.covering(20 * NS, "sound") == second
    assert book.covering(10**6 * NS, "sound") == second
    assert book.covering(15 * NS, "C camera") is None


def test_a_deleted_take_covers_nothing_and_can_come_back(book: TakeBook) -> None:
    take = roll(book, 10)
    cut(book, 20)
    book.edit(take.id, deleted=True)
    assert book.covering(15 * NS, "sound") is None
    book.edit(take.id, deleted=False)
    assert book.covering(15 * NS, "sound") is not None


def test_deleting_a_rolling_take_lets_another_roll_and_it_may_not_return_over_it(
    book: TakeBook,
) -> None:
    take = roll(book, 10)
    book.edit(take.id, deleted=True)
    assert book.rolling_groups() == frozenset()
    roll(book, 12)
    with pytest.raises(TakeError, match="another take covers this time in A camera"):
        book.edit(take.id, deleted=False)


def test_correcting_the_newest_take_corrects_the_next_slate(book: TakeBook) -> None:
    take = roll(book, 10, slate="27/7")
    book.edit(take.id, slate="27/8", take=4)
    assert slate(book.next_take) == ("", "27/8", 5)


def test_correcting_a_take_leaves_a_slate_that_was_set_by_hand(book: TakeBook) -> None:
    take = roll(book, 10, slate="27/7")
    book.edit("next", slate="30/1")
    book.edit(take.id, slate="27/8")
    assert slate(book.next_take) == ("", "30/1", 1)


def test_deleting_the_newest_take_gives_its_number_back(book: TakeBook) -> None:
    take = roll(book, 10, slate="27/7")
    book.edit(take.id, deleted=True)
    assert slate(book.next_take) == ("", "27/7", 1)
    book.edit(take.id, deleted=False)
    assert slate(book.next_take) == ("", "27/7", 2)


def test_a_new_day_keeps_counting_the_slate(book: TakeBook) -> None:
    roll(book, 10, slate="27/7")
    cut(book, 20)
    take = book.roll(90_000 * NS, UTC_NS + 90_000 * NS, "2026-03-03")
    assert (take.day, take.take) == ("2026-03-03", 2)


def test_a_restart_goes_on_with_the_open_take(book: TakeBook) -> None:
    roll(book, 10, slate="27/7")
    again = TakeBook("Film", "Main unit", GROUPS, ids())
    again.restore(book.takes, book.next_take)
    assert again.rolling_groups() == frozenset(GROUPS)
    assert again.next_take == book.next_take
    assert not cut(again, 20).rolling
    guessed = TakeBook("Film", "Main unit", GROUPS, ids())
    guessed.restore(book.takes, None)
    assert slate(guessed.next_take) == ("", "27/7", 2)


class TakesMachine(RuleBasedStateMachine):
    """Any order of marks keeps the book consistent."""

    def __init__(self) -> None:
        super().__init__()
        self.book = TakeBook("Film", "Main unit", GROUPS, ids())
        self.s = 100.0

    @rule(seconds=st.floats(0, 100))
    def time_passes(self, seconds: float) -> None:
        self.s += seconds

    def attempt(self, mark: Callable[[], object]) -> None:
        before, upcoming = self.book.takes, self.book.next_take
        try:
            mark()
        except TakeError:
            refused = True
        else:
            refused = False
        assert not refused or (self.book.takes, self.book.next_take) == (before, upcoming)

    @rule(
        groups=st.none() | st.lists(st.sampled_from(GROUPS), unique=True),
        name=st.none() | st.sampled_from(["27/7", "27/8", "WT 49"]),
        back=st.floats(0, 70),
    )
    def rolls(self, groups: list[str] | None, name: str | None, back: float) -> None:
        self.attempt(lambda: roll(self.book, self.s, groups=groups, slate=name, back_s=back))

    @rule(groups=st.none() | st.lists(st.sampled_from(GROUPS), unique=True))
    def cuts(self, groups: list[str] | None) -> None:
        self.attempt(lambda: cut(self.book, self.s, groups))

    @precondition(lambda self: self.book.takes)
    @rule(data=st.data(), back=st.floats(0, 70))
    def moves_a_roll(self, data: st.DataObject, back: float) -> None:
        take = data.draw(st.sampled_from(self.book.takes))
        self.attempt(lambda: self.book.edit(take.id, roll_back_s=back))

    @precondition(lambda self: self.book.takes)
    @rule(data=st.data(), deleted=st.booleans())
    def deletes_or_restores(self, data: st.DataObject, deleted: bool) -> None:
        take = data.draw(st.sampled_from(self.book.takes))
        self.attempt(lambda: self.book.edit(take.id, deleted=deleted))

    @rule()
    def restarts(self) -> None:
        takes, upcoming = self.book.takes, self.book.next_take
        self.book = TakeBook("Film", "Main unit", GROUPS, self.book._new_id)
        self.book.restore(takes, upcoming)
        assert self.book.takes == takes

    @invariant()
    def parts_of_one_group_never_overlap(self) -> None:
        for group in GROUPS:
            spans = sorted(
                (part.roll_ns, part.cut_ns)
                for take in self.book.takes
                if not take.deleted
                for part in take.parts
                if part.group == group and part.cut_ns is not None
            )
            for (_, cut_ns), (roll_ns, _) in itertools.pairwise(spans):
                assert cut_ns is not None
                assert cut_ns <= roll_ns

    @invariant()
    def no_group_rolls_twice_and_no_cut_lies_before_its_roll(self) -> None:
        parts = [p for t in self.book.takes if not t.deleted for p in t.parts]
        rolling = [part.group for part in parts if part.cut_ns is None]
        assert len(rolling) == len(set(rolling))
        assert self.book.rolling_groups() == frozenset(rolling)
        assert all(p.cut_ns is None or p.roll_ns <= p.cut_ns for p in parts)

    @invariant()
    def no_roll_lies_further_back_than_the_limit(self) -> None:
        for (take_id, group), pressed_ns in self.book._pressed_ns.items():
            for take in self.book.takes:
                for part in take.parts:
                    if take.id == take_id and part.group == group:
                        assert pressed_ns - part.roll_ns <= BACK_LIMIT_S * NS


TestAnyOrderOfMarks = TakesMachine.TestCase
TestAnyOrderOfMarks.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
