"""Records to try the journal and the live feed with."""

from monitor.records import AlertBody, NoticeBody, Part, Record, Take, TakeBody
from monitor.rules.model import Acknowledgement, Alert


def a_take(take_id: str = "t1", *, notes: str = "", roll_ns: int = 10, **fields: object) -> Take:
    part = Part(group="sound", roll_ns=roll_ns, roll_utc_ns=roll_ns + 1000)
    take = Take(
        id=take_id,
        production="P",
        unit="U",
        day="2026-11-23",
        scene="27",
        slate="27/7",
        take=1,
        notes=notes,
        parts=[part],
    )
    return take.model_copy(update=fields)


def an_alert(alert_id: str = "a1", *, by: str | None = None, **fields: object) -> Alert:
    alert = Alert(
        id=alert_id,
        rule="audio.clipping",
        department="sound",
        source="cart",
        source_name="Sound cart",
        channel=2,
        channel_name="Boom",
        severity="CHECK",
        condition="active",
        onset_ns=20,
        message="Boom clipped once",
        acknowledged=None if by is None else Acknowledgement(who=by, t_ns=30, utc_ns=1030),
    )
    return alert.model_copy(update=fields)


def take_body(take: Take) -> TakeBody:
    return TakeBody(what="edited", take=take)


def alert_body(alert: Alert) -> AlertBody:
    return AlertBody(what="acknowledged", alert=alert)


def notice(text: str) -> NoticeBody:
    return NoticeBody(text=text)


def a_record(seq: int, text: str = "hello") -> Record:
    return Record(
        seq=seq,
        utc_ns=seq,
        t_ns=seq,
        boot_id="boot",
        production="P",
        unit="U",
        day="2026-11-23",
        durable=False,
        body=notice(text),
    )
