"""The live feed's order and bounds, without sockets."""

from api.identity import THIS_COMPUTER
from api.live import DURABLE_WAIT_S, Client, Live, Outflow
from api.messages import CLIENT_QUEUE, Confirm, RecordMessage
from tests.monitor.bodies import a_record


def told(out: list[RecordMessage | Confirm]) -> list[tuple[str, int, bool | None]]:
    return [
        ("record", m.record.seq, m.record.durable)
        if isinstance(m, RecordMessage)
        else ("confirm", m.seq, None)
        for m in out
    ]


def test_a_record_waits_for_the_disk_and_then_goes_as_durable() -> None:
    flow = Outflow()
    flow.add(a_record(1), 0.0)
    assert flow.due(0.01) == []
    flow.durable(1)
    assert told(flow.due(0.02)) == [("record", 1, True)]
    assert flow.due(1.0) == []


def test_after_50_ms_it_goes_as_not_durable_and_is_confirmed_later() -> None:
    flow = Outflow()
    flow.add(a_record(1), 0.0)
    assert told(flow.due(DURABLE_WAIT_S)) == [("record", 1, False)]
    assert [record.seq for record in flow.unconfirmed()] == [1]
    flow.durable(1)
    assert told(flow.due(0.2)) == [("confirm", 1, None)]
    assert flow.unconfirmed() == []


def test_records_leave_in_the_order_of_their_seq() -> None:
    flow = Outflow()
    flow.add(a_record(1), 0.0)
    flow.add(a_record(2), 0.01)
    flow.durable(2)
    assert flow.due(0.02) == []
    assert told(flow.due(0.05)) == [("record", 1, False), ("record", 2, True)]
    assert flow.next_s() is None


def test_a_client_that_leaves_too_many_records_unread_is_closed() -> None:
    client = Client(THIS_COMPUTER)
    for number in range(CLIENT_QUEUE):
        client.offer(f"{number}")
    assert client.closed is None
    client.offer("one too many")
    assert client.closed is not None
    assert len(client.records) == CLIENT_QUEUE


def test_what_may_become_coarser_is_merged_and_records_go_first() -> None:
    client = Client(THIS_COMPUTER)
    client.meters, client.view = b"old", "old"
    client.meters, client.view = b"new", "new"
    client.offer("record")
    assert client.take() == ["record", "new", b"new"]
    assert client.take() == []


def test_a_view_that_says_nothing_new_is_sent_to_nobody_but_newcomers() -> None:
    live, first, second = Live(), Client(THIS_COMPUTER), Client(THIS_COMPUTER)
    live.clients = {first}
    live.view("idle", lambda _: "idle, seen at 1 s")
    assert first.take() == ["idle, seen at 1 s"]
    live.clients.add(second)
    live.view("idle", lambda _: "idle, seen at 2 s")
    assert (first.take(), second.take()) == ([], ["idle, seen at 2 s"])
    live.view("rolling", lambda _: "rolling")
    assert (first.take(), second.take()) == (["rolling"], ["rolling"])
