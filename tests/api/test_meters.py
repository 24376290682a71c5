import math
import struct

from api.meters import Meters
from config.settings import SourceSettings
from monitor.hub.watching import Watching
from monitor.lines import Reading
from monitor.metrics import Value


def watching(**values: Value) -> Watching:
    settings = SourceSettings(id="cart", kind="synthetic", name="Cart")
    source = Watching(settings=settings)
    source.take_reading(
        Reading(
            source="cart", seq=1, stream=0, epoch=0, start=0, end=1, t_arrival_ns=1, values=values
        )
    )
    return source


def test_the_numbers_lie_where_the_layout_says_after_two_words() -> None:
    meters, source = Meters(), watching(a=[-1.0, None, -3.0], word="x", b=4)
    assert meters.follow([source])
    data = meters.snapshot([source], 0.25)
    words = struct.unpack(f"<{len(data) // 4}f", data)
    assert words[:2] == (1.0, 0.25)
    places = {
        slot.metric: words[2 + slot.offset : 2 + slot.offset + slot.count] for slot in meters.slots
    }
    assert places["a"][0] == -1.0
    assert math.isnan(places["a"][1])
    assert places["b"] == (4.0,)
    assert "word" not in places


def test_the_layout_changes_only_when_a_number_appears_or_its_count_changes() -> None:
    meters, source = Meters(), watching(a=[1.0, 2.0])
    assert meters.follow([source])
    assert not meters.follow([source])
    source.values[0]["a"] = [3.0, 4.0]
    assert not meters.follow([source])
    source.values[0]["b"] = 1.0
    assert meters.follow([source])
    source.values[0]["a"] = [1.0]
    assert meters.follow([source])
    assert meters.layout == 3


def test_numbers_of_a_lost_source_keep_their_place_and_become_unknown() -> None:
    meters, source = Meters(), watching(a=1.0)
    meters.follow([source])
    source.values.clear()
    assert not meters.follow([source])
    words = struct.unpack("<3f", meters.snapshot([source], 0.0))
    assert math.isnan(words[2])
