"""The report as an HTML page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from {{ cookiecutter.__package }}.pipeline import page
from {{ cookiecutter.__package }}.pipeline.records import Estimate

from examples import (
    make_changes,
    make_contest,
    make_failure,
    make_records,
    make_run,
    make_settings,
    make_training,
)

VOID = {"meta", "link", "br", "img", "path", "use", "circle", "image"}


class Reader(HTMLParser):
    """Collects ids and addresses, and checks that elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element that was opened."""
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id" and value is not None:
                self.ids.append(value)
            if name.split(":")[-1] in ("href", "src") and value is not None:
                self.addresses.append(value)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Treat an element without content as one that was opened and closed."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Check that the innermost element is closed."""
        if tag not in VOID:
            assert tag == self.open.pop()


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression", "contest"])
def html(request: pytest.FixtureRequest) -> str:
    """Return the page of a good run, without a champion and with one."""
    if request.param == "contest":
        records = make_records(comparison=make_contest("better"), changes=make_changes())
        return page.render_page(records, make_settings("binary"))
    return page.render_page(make_records(request.param), make_settings(request.param))


def test_page_is_whole_and_its_ids_are_unique(html: str) -> None:
    """Figures share a page, so their ids must not collide, and each reference must have its target."""
    reader = Reader(html)
    assert [] == reader.open
    assert len(set(reader.ids)) == len(reader.ids)
    targets = {address[1:] for address in reader.addresses if address.startswith("#")}
    targets |= set(re.findall(r"url\(#([^)]+)\)", html))
    assert targets <= set(reader.ids)


def test_page_asks_nothing_of_the_network_and_runs_nothing(html: str) -> None:
    """The page can be opened from an artifact, offline, by anybody."""
    reader = Reader(html)
    assert all(address.startswith(("#", "data:")) for address in reader.addresses)
    assert "script" not in reader.tags
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_same_records_give_the_same_bytes() -> None:
    """A report of one result is one file."""
    first, second = (page.render_page(make_records(), make_settings("binary")) for _ in range(2))
    assert first == second


def test_text_from_data_is_escaped() -> None:
    """A class label is not markup."""
    training = make_training("binary", classes=["<script>x</script>", "$a$"], boundary="</p><b>")
    html = page.render_page(make_records(training=training), None)
    assert "<script>" not in html
    assert "</p><b>" not in html
    assert "$a$" in html


def test_failed_run_has_a_page_too() -> None:
    """What happened stands on top."""
    html = page.render_page(make_failure("validate"), None)
    assert "<h1>The run failed while validating the data</h1>" in html
    assert "params.yaml: data.source is" in html


def test_unwritten_sections_are_a_warning() -> None:
    """An unfinished card is loud here too."""
    html = page.render_page(make_records(run=make_run(unwritten=["Contact"]), evaluation=None), None)
    assert "nobody has written yet: Contact" in html


def test_interval_is_drawn_to_scale() -> None:
    """The dot stands where the value is between the edges."""
    svg = page.draw_interval(Estimate(value=0.5, low=0.0, high=1.0), (0.0, 1.0), line=0.0)
    assert f'cx="{page.WIDTH / 2}"' in svg
    assert f"M{page.EDGE:.1f} {page.HEIGHT / 2}H{page.WIDTH - page.EDGE:.1f}" in svg
