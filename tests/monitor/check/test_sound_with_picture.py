"""Sound beside pictures is measured a second at a time, pictures ten times as often."""

from pathlib import Path

from monitor.check.one_file import check_file
from monitor.report.document import CheckAlert
from tests.monitor.check.sound_files import write_pcm24
from tests.monitor.check.test_halves import faulty
from tests.rigs.clips import Clips

SECONDS = 8


def sound_alerts(path: Path) -> list[CheckAlert]:
    """Return what is told of a file's sound, whatever stream it is in and the file is called."""
    alerts = check_file(path, None, None, "recording").alerts
    heard = [alert for alert in alerts if alert.rule.startswith("audio.")]
    # A trace reaches to what was read by then; stereo of a film is a mix, where some is a note.
    same = {"stream": 0, "message": "", "trace": None, "severity": "NOTE"}
    return sorted(
        (alert.model_copy(update=same) for alert in heard),
        key=lambda alert: (alert.rule, alert.channel or 0, alert.start_s),
    )


def test_sound_has_the_alerts_it_has_without_pictures(clips: Clips, tmp_path: Path) -> None:
    wav = write_pcm24(tmp_path / "sound.wav", faulty(SECONDS))
    picture = clips.picture(frames=SECONDS * 25, size="160x96")
    film = clips.make(".mov", "-i", str(picture), "-i", str(wav), "-c", "copy")
    alone = sound_alerts(wav)
    assert {"audio.clipping", "audio.dropout", "audio.silence"} <= {one.rule for one in alone}
    assert sound_alerts(film) == alone
