"""Names and notes that try to get out of their place."""

import csv
import io
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.report import REPORTS, CheckBatch, DayDocument
from monitor.report.as_csv import FORMULA_STARTS
from monitor.report.registry import Document
from tests.monitor.report.samples import check_alert, check_batch, live_day

NASTY = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "</style></svg><script>",
            "{{ 7*7 }}{% raw %}",
            "=1+1",
            "\t=1+1",
            "\r@SUM(A1)",
            'a"b,c\r\nd',
            "\x1b]0;owned\x07\x1b[2J",
            "\u202egpj.exe",
            "]]>&lt;&#x0;",
        ]
    ),
)


def day(text: str) -> DayDocument:
    one = live_day()
    one.take("t", text, 1, 10, 20, notes=text, circled=True, scene=text,
             groups=("sound", "A camera", text or "x"))  # fmt: skip
    one.alert("a", "audio.clipping", "FAULT", "cart", 12, 13, message=text, channel=0,
              channel_name=text, unit=text, worst=text, source_name=text)  # fmt: skip
    one.state(14, "cart", "lost", text)
    one.gap(12, "cart", 1, "samples", text)
    return one.document()


def batch(text: str) -> CheckBatch:
    files = check_batch().files
    alert = check_alert(message=text, unit=text, worst=text, timecode=text)
    changed = files[0].model_copy(update={"file": text, "spec": text, "alerts": [alert]})
    broken = files[1].model_copy(update={"file": text, "error": text})
    return check_batch().model_copy(update={"files": [changed, broken]})


def documents(text: str) -> tuple[CheckBatch, DayDocument]:
    return batch(text), day(text)


class Page(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


@given(NASTY)
@settings(max_examples=60, deadline=None)
def test_text_never_adds_a_tag_or_an_attribute_to_the_page(text: str) -> None:
    pairs: list[tuple[Document, Document]] = [
        (batch(text), batch("harmless")),
        (day(text), day("harmless")),
    ]
    for hostile, harmless in pairs:
        page, plain = (Page(REPORTS["html"].render(one)) for one in (hostile, harmless))
        assert set(page.tags) <= set(plain.tags)
        assert {name for name, _ in page.attributes} <= {name for name, _ in plain.attributes}


@pytest.mark.parametrize("name", ["check", "day"])
def test_a_page_fetches_nothing_and_runs_nothing(name: str) -> None:
    document = batch("x") if name == "check" else day("x")
    page = Page(REPORTS["html"].render(document))
    assert not {"script", "link", "img", "iframe", "object", "embed", "base"} & set(page.tags)
    names = {attribute for attribute, _ in page.attributes}
    assert not names & {"src", "href", "srcset", "action", "xlink:href"}
    assert not [one for one in names if one.startswith("on")]
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


@given(NASTY)
@settings(max_examples=60, deadline=None)
def test_no_text_cell_of_a_table_begins_a_formula(text: str) -> None:
    for document in documents(text):
        for row in csv.reader(io.StringIO(REPORTS["csv"].render(document), newline="")):
            for cell in row:
                assert not cell.startswith(FORMULA_STARTS) or is_number(cell)


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@given(NASTY)
@settings(max_examples=60, deadline=None)
def test_a_table_is_rectangular_with_crlf_and_gives_the_text_back(text: str) -> None:
    for document in documents(text):
        table = REPORTS["csv"].render(document)
        assert table.endswith("\r\n")
        rows = list(csv.reader(io.StringIO(table, newline=""), strict=True))
        assert len({len(row) for row in rows}) == 1
        found = {row[rows[0].index("message")] for row in rows}
        assert {text, f"'{text}"} & found


@given(NASTY)
@settings(max_examples=60, deadline=None)
def test_a_terminal_gets_no_control_character(text: str) -> None:
    for document in documents(text):
        shown = REPORTS["text"].render(document)
        assert all(char == "\n" or char.isprintable() or char in "\u200c\u200d" for char in shown)


@given(NASTY)
@settings(max_examples=60, deadline=None)
def test_json_is_one_object_a_line_for_a_check_and_one_for_a_day(text: str) -> None:
    lines = REPORTS["json"].render(batch(text)).splitlines()
    assert [json.loads(line)["file"] for line in lines] == [text, text]
    assert json.loads(REPORTS["json"].render(day(text)))["takes"][0]["notes"] == text
