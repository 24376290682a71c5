"""What an alert most likely comes from, by its row, and what a lossy link leaves to be told."""

from config.rows import default_rows

ROWS = {row.key: row for row in default_rows()}


def test_what_a_lossy_link_does_to_pictures_is_silenced_by_its_own_alert() -> None:
    silenced = set(ROWS["video.block_loss"].suppresses)
    assert ROWS["video.block_loss"].cause == "link"
    assert {"source.gap", "video.frames_dropped", "video.frames_repeated"} <= silenced
    assert {"video.freeze", "video.pixellation", "video.bitrate"} <= silenced


def test_a_wrong_setting_is_told_on_a_lossy_link_too() -> None:
    silenced = ROWS["video.block_loss"].suppresses
    wrong = [row for row in ROWS.values() if row.cause == "setting" and row.name != "video.bitrate"]
    assert {row.name for row in wrong} >= {"video.format", "video.resolution", "video.frame_rate"}
    assert not [row.key for row in wrong if row.name in silenced or row.key in silenced]


def test_nothing_graver_is_silenced_by_damage_of_a_feed() -> None:
    told = {step.severity for step in ROWS["video.block_loss"].rolling}
    graver = {
        row.key
        for row in ROWS.values()
        if row.name in ROWS["video.block_loss"].suppresses
        for step in row.rolling
        if step.severity == "FAULT"
    }
    assert told == {"CHECK"}
    assert not graver


def test_in_a_file_damage_silences_nothing() -> None:
    row = ROWS["video.block_loss"]
    assert row.recording["suppresses"] == row.delivery["suppresses"] == []
