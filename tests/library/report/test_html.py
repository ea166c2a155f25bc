"""The report as an HTML page."""

from __future__ import annotations

import re

import pytest

from examples import (
    make_changes,
    make_contest,
    make_failure,
    make_records,
    make_run,
    make_settings,
    make_training,
)
from gitops_ml.core.records import Estimate
from gitops_ml.report import html as page
from reader import Reader


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
    assert f'd="M{page.WIDTH / 2:g} {page.HEIGHT / 2:g}h0"' in svg
    assert f"M{page.EDGE} {page.HEIGHT / 2:g}H{page.WIDTH - page.EDGE}" in svg


def test_an_interval_without_width_stands_in_the_middle() -> None:
    """Where nothing differs, nothing is better and nothing worse."""
    svg = page.draw_interval(Estimate(value=0.0, low=0.0, high=0.0), (0.0, 0.0), line=0.0)
    assert f'd="M{page.WIDTH / 2:g} {page.HEIGHT / 2:g}h0"' in svg
