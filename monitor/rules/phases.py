"""Which phase a source was in, and when: groups of sources roll separately."""

from bisect import bisect_right
from dataclasses import dataclass, field

from config.spec import Phase

SPANS_LIMIT = 64  # about 30 takes back; a roll moves back one minute at most


@dataclass(slots=True, kw_only=True)
class Span:
    """One phase of a source, from ``from_ns`` until the next span begins."""

    from_ns: int
    phase: Phase


@dataclass(slots=True)
class History:
    """The phases of one source, oldest first; before the first it was idle."""

    spans: list[Span] = field(default_factory=list)

    @property
    def phase(self) -> Phase:
        """The phase now."""
        return self.spans[-1].phase if self.spans else "idle"

    def change(self, phase: Phase, t_ns: int) -> None:
        """Begin a phase."""
        self.spans.append(Span(from_ns=t_ns, phase=phase))
        del self.spans[:-SPANS_LIMIT]

    def over(self, from_ns: int, to_ns: int) -> list[Span]:
        """Return the spans that an interval touches, oldest first."""
        starts = [span.from_ns for span in self.spans]
        first = bisect_right(starts, from_ns) - 1
        last = bisect_right(starts, to_ns)
        before = [Span(from_ns=from_ns, phase="idle")] if first < 0 else []
        return before + self.spans[max(first, 0) : last]

    def move_roll(self, roll_ns: int) -> bool:
        """Move the newest roll back; what it now covers is rolling. False without any roll."""
        for index in range(len(self.spans) - 1, -1, -1):
            if self.spans[index].phase == "rolling":
                break
        else:
            return False
        self.spans[index].from_ns = roll_ns
        kept = [span for span in self.spans[:index] if span.from_ns < roll_ns]
        self.spans = kept + self.spans[index:]
        return True
