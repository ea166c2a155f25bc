"""Tests of what a person sees while the lifecycle works."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_ml.cli import console


def test_plain_lines_name_stage_and_seconds() -> None:
    """A log has one line a result."""
    output = io.StringIO()
    plain = console.PlainConsole(output)

    with plain.stage("train"):
        plain.progress("linear", 1, 3)
        plain.tell("linear won")

    assert "train       0.0s  linear won\n" == output.getvalue()


def test_github_folds_a_stage_and_annotates_warnings() -> None:
    """The workflow commands are GitHub's own."""
    output = io.StringIO()
    github = console.GitHubConsole(output)

    with github.stage("validate"):
        github.warn("temp: 100% odd")

    assert (
        output.getvalue() == "::group::validate\n::warning title=validate::temp: 100%25 odd\n::endgroup::\n"
    )


def test_github_closes_the_group_of_a_failed_stage() -> None:
    """An error does not fold away what comes after it."""
    output = io.StringIO()

    with pytest.raises(RuntimeError), console.GitHubConsole(output).stage("train"):
        raise RuntimeError

    assert "::group::train\n::endgroup::\n" == output.getvalue()


def test_terminal_prints_results_after_its_bars() -> None:
    """The lines stay when the bars are gone."""
    output = io.StringIO()
    terminal = console.TerminalConsole(output)

    with terminal.stage("train"):
        terminal.progress("linear", 1, 3)
        terminal.tell("linear won")
        before = output.getvalue()

    assert "linear won" not in before
    assert output.getvalue().endswith("linear won\n")


def test_terminal_keeps_the_results_of_every_stage() -> None:
    """The bars of one stage do not wipe out the lines of the one before."""
    output = io.StringIO()
    terminal = console.TerminalConsole(output)

    for stage in ("validate", "train", "evaluate"):
        with terminal.stage(stage):
            terminal.tell("done")

    lines = [line.split()[0] for line in output.getvalue().splitlines() if line.endswith("done")]
    assert ["validate", "train", "evaluate"] == lines


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"GITHUB_ACTIONS": "true"}, console.GitHubConsole),
        ({"CI": "1"}, console.PlainConsole),
        ({}, console.PlainConsole),
    ],
)
def test_the_console_fits_the_place(environment: dict[str, str], expected: type) -> None:
    """Bars only on a terminal, and never in CI."""
    assert expected is type(console.open_console(environment))


@given(st.text())
def test_an_annotation_is_one_line(text: str) -> None:
    """Text from data cannot start a workflow command of its own."""
    assert 1 == len(console.escape_annotation(text).split("\n"))
    assert "\r" not in console.escape_annotation(text)
