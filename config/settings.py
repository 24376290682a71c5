"""What the operator configures: sources, names, groups, network. One TOML file.

``config/presets/example.toml`` is the manual: every key with its meaning and default, and tested.
A source's own options are validated by its kind; this package knows only what all kinds share.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

SOURCES_LIMIT = 32  # two cores carry about 14 feeds; more is a mistake in the file
NAME_LIMIT = 64

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LIMIT)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Production(_Model):
    """Whose shoot this is."""

    name: Name = "Untitled production"
    unit: Name = "Main unit"
    day_starts: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "06:00"
    time_zone: str | None = None
    """IANA name; by default the machine's own."""
    slate_style: Literal["scene", "number"] = "scene"


class Network(_Model):
    """Where the page is served. ``host`` other than loopback opens it to the set, with pairing."""

    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=0, le=65535)
    allowed_hosts: list[str] = Field(default_factory=list, max_length=16)
    """Further names the page may be asked for by, beside addresses of this machine."""


class Storage(_Model):
    """Where the journal, the line log and stills are kept."""

    folder: str = ""
    """Empty: the user's data folder for takewatch."""
    line_log_gib: float = Field(default=2.0, gt=0, le=1024)


Share = Annotated[float, Field(ge=0, le=1)]


class Look(_Model):
    """How a source's picture is meant to look: where it clips, and what in it is no picture."""

    clip_percent: float = Field(default=100.0, gt=0, le=110)
    """From which luma on a pixel is clipped: an operator's zebra. Log pictures clip lower."""
    crush_percent: float = Field(default=1.0, ge=-8, le=50)
    """Up to which luma it is crushed."""
    masks: list[tuple[Share, Share, Share, Share]] = Field(default_factory=list, max_length=8)
    """Burnt-in overlays: left, top, right, bottom, as shares of the picture's width and height."""

    @field_validator("masks")
    @classmethod
    def _masks_have_an_area(
        cls, masks: list[tuple[float, float, float, float]]
    ) -> list[tuple[float, float, float, float]]:
        for left, top, right, bottom in masks:
            if left >= right or top >= bottom:
                raise ValueError("left before right and top before bottom, from 0 to 1")
        return masks


class SourceSettings(_Model):
    """One input. Keys not listed here are options of its kind."""

    model_config = ConfigDict(frozen=True, extra="allow")
    id: Identifier
    kind: str
    name: Name
    department: Literal["sound", "camera", "both"] | None = None
    """By default: sound for a source without pictures, else camera."""
    group: Name | None = None
    """Which part of a take it belongs to (A camera, B camera, sound); by default its name, or
    ``sound`` for the sound department."""
    channel_names: list[str] = Field(default_factory=list, max_length=256)
    programme: list[int] | None = None
    """Channels of the mix, from 1. By default all of a mono, stereo, 5.1 or 7.1 layout."""
    pairs: list[tuple[int, int]] = Field(default_factory=list, max_length=128)
    look: Look = Look()
    stall_s: float | None = Field(default=None, gt=0, le=60)

    @property
    def options(self) -> dict[str, Any]:
        """The options of its kind."""
        return dict(self.model_extra or {})


class Settings(_Model):
    """The whole file."""

    production: Production = Production()
    network: Network = Network()
    storage: Storage = Storage()
    spec: str = "tv-25p-hd"
    """A preset's name, or the path of a spec file, relative to this one."""
    source: list[SourceSettings] = Field(default_factory=list, max_length=SOURCES_LIMIT)
