"""The page's types are the server's schema, neither more nor less."""

from pathlib import Path

from api import page_types

COMMITTED = Path(__file__).parent.parent / "dashboard" / "src" / "messages.ts"


def test_the_page_s_types_are_those_of_the_server_s_schema() -> None:
    assert COMMITTED.read_text() == page_types.render(), (
        "run: python -m api.page_types > dashboard/src/messages.ts"
    )


def test_a_nullable_list_and_a_map_become_typescript() -> None:
    listed: page_types.Schema = {
        "anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]
    }
    assert page_types.type_of(listed) == "number[] | null"
    mapped: page_types.Schema = {"type": "object", "additionalProperties": {"type": "string"}}
    assert page_types.type_of(mapped) == "{ [key: string]: string }"


def test_what_the_service_sends_is_always_there_and_what_the_page_sends_may_be_left_out() -> None:
    text = page_types.render()
    assert "  missed: number;" in text
    assert "  back_s?: number;" in text
