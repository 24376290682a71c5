"""docs/api.md names every route, message and kind of record."""

from pathlib import Path
from typing import get_args

from api.app import create_app
from api.messages import ServerMessage
from api.service import Service
from config.settings import Settings
from monitor.records import Body

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def kinds_of(union: object, key: str) -> set[str]:
    models = get_args(get_args(union)[0])
    return {model.model_fields[key].default for model in models}


def test_every_route_is_documented(tmp_path: Path) -> None:
    app = create_app(Service(Settings(), tmp_path))
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}` |" in PAGE, (method, path)


def test_every_message_and_record_is_documented() -> None:
    messages = kinds_of(ServerMessage, "type")
    records = kinds_of(Body, "kind")
    assert len(messages) > 5
    assert len(records) > 5
    for name in messages | records:
        assert f"| `{name}` |" in PAGE, name
