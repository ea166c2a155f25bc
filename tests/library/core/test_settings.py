"""Tests of params.yaml as settings."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.settings import ServeSettings, Settings, parse_period, read_serve_settings, read_settings
from toys import BINARY, TEMPLATE


def change(tmp_path: Path, **sections: dict[str, Any]) -> Path:
    """Write the project's params with some keys changed."""
    params = yaml.safe_load((BINARY / "params.yaml").read_text())
    for name, values in sections.items():
        params[name] = params.get(name, {}) | values
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(params))
    return path


@pytest.mark.parametrize(
    ("section", "typo", "meant"),
    [("train", "fold", "folds"), ("data", "sources", "source"), ("gates", "margins", "margin")],
)
def test_unknown_key_is_answered_with_the_nearest(
    tmp_path: Path, section: str, typo: str, meant: str
) -> None:
    """A typo names the key that was probably meant."""
    with pytest.raises(LifecycleError) as caught:
        read_settings(change(tmp_path, **{section: {typo: 1}}))

    assert f"{tmp_path / 'params.yaml'}: unknown key {section}.{typo}, did you mean '{meant}'?." == str(
        caught.value
    )


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    """Two mistakes need one run to find."""
    path = change(tmp_path, train={"folds": 1}, split={"test_period": "soon"})

    with pytest.raises(LifecycleError, match=r"split.test_period is 'soon'.*train.folds is 1"):
        read_settings(path)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"split": {"by": "group"}}, "split.by is 'group', which needs data.group"),
        ({"train": {"metric": "luck"}}, "train.metric 'luck' is not one of evaluate.metrics"),
        (
            {"data": {"time": None, "window": "3 days"}, "split": {"by": "hash"}},
            "data.window needs data.time",
        ),
        ({"gates": {"margin": "much"}}, "expected a number or a share such as 1%, got 'much'"),
    ],
)
def test_sections_must_agree(tmp_path: Path, sections: dict[str, Any], message: str) -> None:
    """What one key promises another must allow."""
    with pytest.raises(LifecycleError, match=message):
        read_settings(change(tmp_path, **sections))


@pytest.mark.parametrize("content", ["a: [", "\tx", "- 1\n- 2", "", "problem: classification"])
def test_a_broken_file_is_one_sentence(tmp_path: Path, content: str) -> None:
    """Whatever the file holds, the answer names it and is one line."""
    path = tmp_path / "params.yaml"
    path.write_text(content)

    with pytest.raises(LifecycleError) as caught:
        read_settings(path)

    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    """Outside a project the command says what to do."""
    with pytest.raises(LifecycleError, match="run mlops in the folder that holds it"):
        read_settings(tmp_path / "params.yaml")


@pytest.mark.parametrize(("margin", "expected"), [("1%", 0.02), ("2.5%", 0.05), (0.005, 0.005)])
def test_margin_is_a_share_or_a_number(settings: Settings, margin: str | float, expected: float) -> None:
    """A share is of the metric's value, whatever its sign."""
    gates = settings.gates.model_validate({"margin": margin})

    assert expected == pytest.approx(gates.margin_of(-2.0))


@given(number=st.integers(1, 5000), unit=st.sampled_from(["hour", "day", "week"]), plural=st.booleans())
def test_period_is_number_and_unit(number: int, unit: str, plural: bool) -> None:
    """Singular and plural mean the same."""
    hours = {"hour": 1, "day": 24, "week": 168}[unit]

    assert timedelta(hours=number * hours) == parse_period(f"{number} {unit}{'s' if plural else ''}")


def test_schema_for_editors_is_current() -> None:
    """params.schema.json is what the settings say; `make schema` writes it."""
    assert Settings.model_json_schema() == json.loads((TEMPLATE / "params.schema.json").read_text())


@pytest.mark.parametrize(
    ("content", "workers"),
    [
        ("serve: {workers: 3}\nnot_known_to_this_version: 1", 3),
        ("serve:", 1),
        ("data: {target: late}", 1),
        ("", 1),
        (None, 1),
    ],
)
def test_a_service_reads_its_own_section_alone(tmp_path: Path, content: str | None, workers: int) -> None:
    """What else the file holds is for other versions of the library; without the file all is default."""
    path = tmp_path / "params.yaml"
    if content is not None:
        path.write_text(content)

    assert ServeSettings(workers=workers) == read_serve_settings(path)


def test_a_mistake_in_the_section_of_the_service_names_the_key(tmp_path: Path) -> None:
    """With its section, as in the whole file."""
    path = tmp_path / "params.yaml"
    path.write_text("serve: {log: {formt: jsonl}}")

    with pytest.raises(LifecycleError, match=r"unknown key serve\.log\.formt, did you mean 'format'"):
        read_serve_settings(path)
