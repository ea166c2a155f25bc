"""Sections of the report that are functions of a team's own."""

from __future__ import annotations

from typing import Any

import pytest

from examples import make_context, make_records, make_settings
from gitops_ml.comparison.review import ReviewContext
from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.project import NamedFunction
from gitops_ml.core.records import ReportSection, SectionsRecord
from gitops_ml.core.settings import Settings
from gitops_ml.report.custom_sections import find_sections, write_sections
from gitops_ml.report.html import render_page
from gitops_ml.report.markdown import LIMIT, render_report

LEFT_OUT = "The rest of this section is left out here; it is in `build/report.html`."


def write(answer: Any) -> list[ReportSection]:
    """Return what is shown of a function with this answer."""
    function = NamedFunction("sections:carriers", "Carriers", lambda context: answer)
    return write_sections([function], make_context()).sections


def render(*sections: ReportSection) -> tuple[str, str]:
    """Return report and page with sections."""
    records = make_records(sections=SectionsRecord(sections=list(sections)))
    return render_report(records, None), render_page(records, None)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Some *text*.\n", ("Carriers", "Some *text*.", None)),
        (("Delays", "Some *text*."), ("Delays", "Some *text*.", None)),
        (("Delays", "Some *text*.", "<p>x</p>"), ("Delays", "Some *text*.", "<p>x</p>")),
        (("Delays", "", "<p>x</p>"), ("Delays", "", "<p>x</p>")),
    ],
)
def test_a_section_is_markdown_with_a_title_and_html(
    answer: object, expected: tuple[str, str, str | None]
) -> None:
    """The title is that of the function unless it says another; without HTML the page has the Markdown."""
    [section] = write(answer)
    assert (*expected, None) == (section.title, section.markdown, section.html, section.problem)


def test_an_empty_section_is_left_out() -> None:
    """Of a function that has nothing to say today."""
    assert [] == write("\n")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "sections:carriers returned None; expected Markdown, (title, Markdown)"),
        (("Delays", None), "sections:carriers returned ('Delays', None); expected Markdown"),
        ("```\nx", "the Markdown of sections:carriers: it leaves a block of code or HTML open"),
    ],
)
def test_what_cannot_be_shown_is_told(answer: object, told: str) -> None:
    """In one sentence, in the report and on its page."""
    [section] = write(answer)
    assert section.problem is not None
    assert section.problem.startswith(told)
    report, page = render(section)
    assert "> This section is missing: " in report
    assert "This section is missing: " in page


def test_a_section_that_raises_leaves_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """The run goes on, the text of the error is shown and not obeyed, the traceback is on standard error."""

    def fail(context: ReviewContext) -> str:
        raise KeyError("| <b>@all</b>")

    sections = write_sections([NamedFunction("sections:fail", "Fails", fail)], make_context()).sections
    report, page = render(*sections)
    assert "#### Fails\n\n> [!WARNING]\n> This section is missing: sections:fail raised KeyError" in report
    assert "<b>" not in report
    assert "<b>" not in page
    assert "in fail" in capsys.readouterr().err


def test_sections_do_not_see_what_others_did_to_the_data() -> None:
    """Each has a copy."""

    def spoil(context: ReviewContext) -> str:
        found = f"{context.rows['origin'].nunique()} airports"
        context.rows["origin"] = "nowhere"
        return found

    functions = [NamedFunction(f"sections:{name}", name, spoil) for name in ("a", "b")]
    found = write_sections(functions, make_context()).sections
    assert ["3 airports"] * 2 == [section.markdown for section in found]


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("nowhere:x", "report.sections names 'nowhere:x', but there is no module"),
        ("statistics:dear", "report.sections names 'statistics:dear', but 'statistics' has no function"),
    ],
)
def test_a_missing_function_is_refused(reference: str, words: str) -> None:
    """A sentence names the setting and what is missing."""
    content = make_settings("binary").model_dump(mode="json") | {"report": {"sections": [reference]}}
    with pytest.raises(LifecycleError, match=words):
        find_sections(Settings.model_validate(content))


def test_sections_stand_between_the_slices_and_the_details() -> None:
    """With their titles, in the order of the settings; titles are text, nothing more."""
    report, page = render(
        ReportSection(title="One *of* us", markdown="| a | b |\n| - | - |\n| 1 | 2 |"),
        ReportSection(title="Two", markdown="Words.", html="<p>Other words.</p><script>x()</script>"),
    )
    places = [report.index(part) for part in ("#### Slices", "#### One \\*of\\* us", "| 1 | 2 |", "Words.")]
    assert sorted(places) == places
    assert report.index("Words.") < report.index("Settings, model and data files")
    assert "<td>1</td>" in page
    assert "<p>Other words.</p>" in page
    assert "x()" not in page


def test_a_section_of_html_alone_is_announced() -> None:
    """The comment shows no HTML."""
    report, page = render(ReportSection(title="Map", markdown="", html="<p>A map.</p>"))
    assert "#### Map\n\nThis section is in `build/report.html` alone." in report
    assert "<p>A map.</p>" in page


def test_long_sections_are_cut_in_the_comment_alone() -> None:
    """It stays below what GitHub takes, however many and long they are; the page has all."""
    rows = "\n".join(f"| {number} | {'x' * 90} |" for number in range(2000))
    section = ReportSection(title="t" * 1000, markdown=f"| a | b |\n| - | - |\n{rows}")
    report, page = render(*[section] * 20)
    assert len(report) < LIMIT
    assert 20 == report.count(LEFT_OUT)
    assert "| 3 | " in report
    assert "<td>1999</td>" in page
