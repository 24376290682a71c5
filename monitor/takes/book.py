"""Takes: what was rolled when, by which group of sources, under which slate. Pure.

A take has one part per group. The plain button rolls all groups; a group may also join a rolling
take or be cut on its own. Slates are free text (``27/7``, ``2PK``, ``WT 49``). Times are on the
engine's axis and in UTC, given by the caller.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from monitor.records import Part, Take

BACK_LIMIT_S = 60.0  # a roll forgotten for longer is a new entry by hand, not a slip
TAKES_LIMIT = 2000  # kept in memory: ten times the busiest day
TAKE_NUMBER_LIMIT = 9999
TEXT_LIMIT = 32
NOTES_LIMIT = 4000
SECOND_NS = 1_000_000_000
TAKE_OF = ("scene", "slate")  # what take numbers count within
SLATE_FIELDS = (*TAKE_OF, "take")
EDITABLE = frozenset({*SLATE_FIELDS, "notes", "circled", "false_start", "deleted", "roll_back_s"})


class TakeError(Exception):
    """A mark that cannot be made; the message says why, for the person who made it."""


def _listed(names: Iterable[str]) -> str:
    found = sorted(names)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def _text(name: str, value: object, limit: int) -> str:
    if not isinstance(value, str):
        raise TakeError(f"{name}: found {value!r}, expected text")
    text = value.strip() if name != "notes" else value
    if len(text) > limit:
        raise TakeError(f"{name}: found {len(text)} characters, expected at most {limit}")
    return text


def _checked(name: str, value: object) -> object:
    """Return a field's value, or raise what is wrong with it."""
    if name in ("scene", "slate"):
        return _text(name, value, TEXT_LIMIT)
    if name == "notes":
        return _text(name, value, NOTES_LIMIT)
    if name == "take":
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not 1 <= value <= TAKE_NUMBER_LIMIT:  # type: ignore[operator]  # whole
            raise TakeError(f"take: found {value!r}, expected 1 to {TAKE_NUMBER_LIMIT}")
        return value
    if not isinstance(value, bool):
        raise TakeError(f"{name}: found {value!r}, expected true or false")
    return value


class TakeBook:
    """The takes of a production's unit, and the slate the next roll will use."""

    def __init__(
        self, production: str, unit: str, groups: Sequence[str], new_id: Callable[[], str]
    ) -> None:
        self._production = production
        self._unit = unit
        self._groups = list(dict.fromkeys(groups))
        self._new_id = new_id
        self._takes: list[Take] = []
        self._pressed_ns: dict[tuple[str, str], int] = {}
        self._next = self._blank()

    def _blank(self) -> Take:
        return Take(
            id="next", production=self._production, unit=self._unit, day="", scene="", slate="",
            take=1,
        )  # fmt: skip

    @property
    def takes(self) -> list[Take]:
        """The takes, oldest first, deleted ones too."""
        return list(self._takes)

    @property
    def next_take(self) -> Take:
        """The slate fields the next roll will use; its id is ``next``."""
        return self._next

    @property
    def groups(self) -> list[str]:
        """The groups there are."""
        return list(self._groups)

    def set_groups(self, groups: Sequence[str]) -> None:
        """Change which groups there are; parts of groups that are gone stay in their takes."""
        self._groups = list(dict.fromkeys(groups))

    def restore(self, takes: Sequence[Take], next_take: Take | None) -> None:
        """Go on from takes that were kept; an open one rolls on."""
        self._takes = list(takes)[-TAKES_LIMIT:]
        last = next((t for t in reversed(self._takes) if not t.deleted), None)
        self._next = next_take or (self._following(last) if last else self._blank())

    # ---- asking ----------------------------------------------------------------------------------

    def rolling_groups(self) -> frozenset[str]:
        """Return the groups that roll now."""
        open_takes = (take for take in self._takes if not take.deleted)
        return frozenset(p.group for t in open_takes for p in t.parts if p.cut_ns is None)

    def covering(self, t_ns: int, group: str) -> Take | None:
        """Return the take that covers a capture time in a group: roll included, cut not."""
        for take in reversed(self._takes):
            if take.deleted:
                continue
            for part in take.parts:
                inside = part.roll_ns <= t_ns and (part.cut_ns is None or t_ns < part.cut_ns)
                if part.group == group and inside:
                    return take
        return None

    def _index(self, take_id: str) -> int:
        for index, take in enumerate(self._takes):
            if take.id == take_id:
                return index
        raise TakeError(f"no take with the id {take_id!r}")

    def _chosen(self, groups: Collection[str] | None, default: Iterable[str]) -> list[str]:
        if not groups:
            wanted = set(default)
            known = [group for group in self._groups if group in wanted]
            return known + sorted(wanted - set(known))
        unknown = [group for group in groups if group not in self._groups]
        if unknown:
            has = _listed(self._groups) if self._groups else "no groups"
            raise TakeError(f"no group {_listed(unknown)}; there is {has}")
        return [group for group in self._groups if group in groups]

    # ---- rolling and cutting ---------------------------------------------------------------------

    def roll(
        self,
        t_ns: int,
        utc_ns: int,
        day: str,
        *,
        groups: Collection[str] | None = None,
        scene: str | None = None,
        slate: str | None = None,
        take: int | None = None,
        back_s: float = 0.0,
    ) -> Take:
        """Roll groups (none named: all that do not roll yet) as of ``back_s`` ago; return the take.

        While another group's take still rolls, and no other slate is asked for, the groups join it.
        Raises ``TakeError``.
        """
        chosen = self._chosen(groups, set(self._groups) - self.rolling_groups())
        self._may_roll(chosen)
        slated = {"scene": scene, "slate": slate, "take": take}
        running = self._running()
        if running is not None and self._same_slate(running, slated):
            return self._join(running, chosen, t_ns, utc_ns, back_s)
        upcoming = self._slated(slated)
        parts = [self._part(group, t_ns, utc_ns, back_s) for group in chosen]
        new = upcoming.model_copy(update={"id": self._new_id(), "day": day, "parts": parts})
        self._press(new, chosen, t_ns)
        self._takes.append(new)
        del self._takes[:-TAKES_LIMIT]
        self._next = self._following(new)
        return new

    def _may_roll(self, chosen: Sequence[str]) -> None:
        if not chosen and self.rolling_groups():
            raise TakeError("everything is already rolling; cut first")
        if not chosen:
            raise TakeError("there is no group of sources to roll")
        already = self.rolling_groups() & set(chosen)
        if already:
            verb = "is" if len(already) == 1 else "are"
            raise TakeError(f"{_listed(already)} {verb} already rolling; cut first")

    def _running(self) -> Take | None:
        """Return the newest take, if it still rolls."""
        newest = next((t for t in reversed(self._takes) if not t.deleted), None)
        return newest if newest is not None and newest.rolling else None

    @staticmethod
    def _same_slate(take: Take, slated: Mapping[str, object]) -> bool:
        return all(value in (None, getattr(take, name)) for name, value in slated.items())

    def _join(
        self, take: Take, chosen: Sequence[str], t_ns: int, utc_ns: int, back_s: float
    ) -> Take:
        had = {part.group for part in take.parts} & set(chosen)
        if had:
            raise TakeError(
                f"{_listed(had)} was cut already in this take, which still rolls elsewhere; "
                "cut it there too, or give another take number"
            )
        parts = [self._part(group, t_ns, utc_ns, back_s) for group in chosen]
        self._press(take, chosen, t_ns)
        return self._put(take.model_copy(update={"parts": take.parts + parts}))

    def _press(self, take: Take, groups: Iterable[str], t_ns: int) -> None:
        """Remember when the button was pressed: a roll moves back from there."""
        for group in groups:
            self._pressed_ns[take.id, group] = t_ns
        for key in list(self._pressed_ns)[:-TAKES_LIMIT]:
            del self._pressed_ns[key]

    def _part(self, group: str, t_ns: int, utc_ns: int, back_s: float) -> Part:
        back_ns = self._back_ns(group, t_ns, back_s)
        return Part(group=group, roll_ns=t_ns - back_ns, roll_utc_ns=utc_ns - back_ns)

    def _back_ns(self, group: str, roll_ns: int, back_s: float, before: str | None = None) -> int:
        """Return how far back a roll goes: never over the group's previous cut."""
        if not 0 <= back_s <= BACK_LIMIT_S:
            raise TakeError(f"roll back: found {back_s:g} s, expected 0 to {BACK_LIMIT_S:g} s")
        cuts = [
            part.cut_ns
            for take in self._takes
            if take.id != before and not take.deleted
            for part in take.parts
            if part.group == group and part.cut_ns is not None and part.cut_ns <= roll_ns
        ]
        room_ns = roll_ns - max(cuts) if cuts else None
        back_ns = round(back_s * SECOND_NS)
        return back_ns if room_ns is None else min(back_ns, room_ns)

    def cut(self, t_ns: int, utc_ns: int, groups: Collection[str] | None = None) -> Take:
        """Cut groups (none named: all that roll); return the newest take that was cut.

        Raises ``TakeError`` when nothing of it rolls.
        """
        rolling = self.rolling_groups()
        if not rolling:
            raise TakeError("nothing is rolling")
        chosen = set(self._chosen(groups, rolling))
        idle = chosen - rolling
        if idle:
            verb = "is" if len(idle) == 1 else "are"
            raise TakeError(f"{_listed(idle)} {verb} not rolling")
        touched = [take for take in self._takes if self._rolls_in(take, chosen)]
        for take in touched:
            self._put(self._cut_parts(take, chosen, t_ns, utc_ns))
        return self._takes[self._index(touched[-1].id)]

    @staticmethod
    def _rolls_in(take: Take, groups: Collection[str]) -> bool:
        return not take.deleted and any(
            part.cut_ns is None and part.group in groups for part in take.parts
        )

    @staticmethod
    def _cut_parts(take: Take, groups: Collection[str], t_ns: int, utc_ns: int) -> Take:
        def cut(part: Part) -> Part:
            if part.cut_ns is not None or part.group not in groups:
                return part
            early_ns = max(0, part.roll_ns - t_ns)  # a cut never lies before its roll
            marks = {"cut_ns": t_ns + early_ns, "cut_utc_ns": utc_ns + early_ns}
            return part.model_copy(update=marks)

        return take.model_copy(update={"parts": [cut(part) for part in take.parts]})

    # ---- editing ---------------------------------------------------------------------------------

    def edit(self, take_id: str, **fields: object) -> Take:
        """Edit a take, or the slate of the next one (``next``); None leaves a field as it is.

        ``roll_back_s`` moves the roll of all its parts back, at most 60 s in all
        and never over the group's previous cut. ``deleted=False`` brings a take back. Raises
        ``TakeError``.
        """
        unknown = set(fields) - EDITABLE
        if unknown:
            raise TakeError(f"{_listed(unknown)} cannot be edited")
        given = {name: value for name, value in fields.items() if value is not None}
        if take_id == "next":
            return self._edit_next(given)
        take = self._takes[self._index(take_id)]
        back_s = given.pop("roll_back_s", None)
        changes = {name: _checked(name, value) for name, value in given.items()}
        if changes.get("deleted") is False and take.deleted:
            self._may_return(take)
        if back_s is not None:
            changes["parts"] = self._moved_parts(take, back_s)
        edited = self._put(take.model_copy(update=changes))
        self._keep_counting(take, edited)
        return edited

    def _edit_next(self, given: dict[str, object]) -> Take:
        extra = set(given) - {*SLATE_FIELDS}
        if extra:
            raise TakeError(f"{_listed(extra)} cannot be set before the roll")
        self._next = self._slated(given)
        return self._next

    def _slated(self, fields: Mapping[str, object]) -> Take:
        """Return the next slate with fields changed; another slate begins at its next free take."""
        given = {name: value for name, value in fields.items() if value is not None}
        changes = {name: _checked(name, value) for name, value in given.items()}
        slated = self._next.model_copy(update=changes)
        same = all(getattr(slated, name) == getattr(self._next, name) for name in TAKE_OF)
        if same or "take" in changes:
            return slated
        return slated.model_copy(update={"take": self._first_free(slated)})

    def _first_free(self, slated: Take) -> int:
        """Return 1 for a new slate; one that was shot before is continued."""
        same = [
            take.take
            for take in self._takes
            if not take.deleted and (take.scene, take.slate) == (slated.scene, slated.slate)
        ]
        return min(max(same, default=0) + 1, TAKE_NUMBER_LIMIT)

    def _moved_parts(self, take: Take, back_s: object) -> list[Part]:
        if isinstance(back_s, bool) or not isinstance(back_s, int | float):
            raise TakeError(f"roll back: found {back_s!r}, expected seconds")
        moved = []
        for part in take.parts:
            pressed_ns = self._pressed_ns.setdefault((take.id, part.group), part.roll_ns)
            before_s = (pressed_ns - part.roll_ns) / SECOND_NS
            if before_s > 0 and before_s + back_s > BACK_LIMIT_S:
                raise TakeError(
                    f"a roll moves back {BACK_LIMIT_S:g} s at most; this one already did "
                    f"{before_s:g} s"
                )
            back_ns = self._back_ns(part.group, part.roll_ns, float(back_s), take.id)
            marks = {"roll_ns": part.roll_ns - back_ns, "roll_utc_ns": part.roll_utc_ns - back_ns}
            moved.append(part.model_copy(update=marks))
        return moved

    def _may_return(self, take: Take) -> None:
        """Refuse to bring back a take that another one now overlaps."""
        for part in take.parts:
            for other in self._takes:
                if other.id != take.id and not other.deleted and _overlaps(part, other):
                    raise TakeError(
                        f"another take covers this time in {part.group}; delete that one first"
                    )

    def _keep_counting(self, old: Take, new: Take) -> None:
        """Correct the next slate along with the newest take, if it only counted on from it."""
        if not self._takes or self._takes[-1].id != new.id:
            return
        if self._slate_of(self._next) == self._slate_of(self._following(old)):
            self._next = self._following(new)

    @staticmethod
    def _slate_of(take: Take) -> tuple[str, str, int]:
        return take.scene, take.slate, take.take

    def _following(self, take: Take) -> Take:
        """Return the slate after a take; one that was deleted gives its number back."""
        number = min(take.take + (not take.deleted), TAKE_NUMBER_LIMIT)
        slated = {"scene": take.scene, "slate": take.slate, "take": number}
        return self._blank().model_copy(update=slated)

    def _put(self, take: Take) -> Take:
        self._takes[self._index(take.id)] = take
        return take


def _overlaps(part: Part, take: Take) -> bool:
    for other in take.parts:
        if other.group != part.group:
            continue
        before = other.cut_ns is not None and other.cut_ns <= part.roll_ns
        after = part.cut_ns is not None and part.cut_ns <= other.roll_ns
        if not before and not after:
            return True
    return False
