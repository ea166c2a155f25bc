"""The model card and the sections that people write for it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from sklearn.linear_model import LogisticRegression

from examples import make_comparison, make_records, make_run, make_settings
from gitops_ml.core import records as r
from gitops_ml.core.errors import LifecycleError
from gitops_ml.report import card, card_sections


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project folder whose sections are as they came, but for the description."""
    (tmp_path / "model_cards").mkdir()
    for name in card_sections.TITLES:
        (tmp_path / "model_cards" / f"{name}.md").write_text("> TO BE WRITTEN: by you.\n")
    (tmp_path / "model_cards" / "description.md").write_text("Predicts flights.\n")
    (tmp_path / "model_cards" / "metadata.yaml").write_text(
        "model_name: A / B\nlicense: mit\ntags: [flights]\n"
    )
    return tmp_path


def render(root: Path, problem: str = "binary", **changes: Any) -> str:
    """Return the card of a good run."""
    model = LogisticRegression(C=0.5)
    return card.render_card(make_records(problem, **changes), make_settings(problem), model, root)


def read_front_matter(text: str) -> dict[str, Any]:
    """Return what stands between the first two lines of dashes."""
    front: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return front


@pytest.mark.parametrize(
    ("problem", "task"), [("binary", "tabular-classification"), ("regression", "tabular-regression")]
)
def test_front_matter_is_what_the_hub_reads(root: Path, problem: str, task: str) -> None:
    """Keys and nesting follow the hub's model card specification."""
    front = read_front_matter(render(root, problem))
    assert ("mit", "sklearn", task) == (front["license"], front["library_name"], front["pipeline_tag"])
    assert ["flights", "sklearn", "skops", task] == front["tags"]
    (entry,) = front["model-index"]
    (result,) = entry["results"]
    assert "A / B" == entry["name"]
    assert task == result["task"]["type"]
    assert {"type", "name"} == set(result["dataset"])
    assert all(isinstance(metric["value"], float) and metric["type"] for metric in result["metrics"])


def test_unwritten_sections_are_loud(root: Path) -> None:
    """They are listed on top and marked in their place."""
    text = render(root)
    unwritten = card_sections.list_unwritten(root)
    assert ["Intended use", "Limitations", "Ethical considerations", "Contact"] == unwritten
    assert "**This card is not finished.** Nobody has written these sections yet: Intended use" in text
    assert 5 == text.count("> [!WARNING]")


def test_a_missing_or_empty_section_counts_as_unwritten(root: Path) -> None:
    """Deleting the question does not answer it."""
    (root / "model_cards" / "contact.md").unlink()
    (root / "model_cards" / "description.md").write_text("\n")
    assert {"Description", "Contact"} <= set(card_sections.list_unwritten(root))


def test_a_finished_card_has_no_warning(root: Path) -> None:
    """What people wrote stands in the card as they wrote it."""
    for name in card_sections.TITLES:
        (root / "model_cards" / f"{name}.md").write_text(f"Text of *{name}*.\n")
    text = render(root)
    assert "WARNING" not in text
    assert "## Limitations\n\nText of *limitations*." in text


def test_sections_come_in_order_under_one_title(root: Path) -> None:
    """One first heading, then people's words, then the facts."""
    titles = re.findall(r"^(#{1,2} .*)$", render(root), flags=re.MULTILINE)
    people = ["# A / B", "## Description", "## Intended use", "## Limitations", "## Ethical considerations"]
    facts = [
        "## Model",
        "## Training data",
        "## Evaluation",
        "## How to load the model",
        "## Lineage",
        "## Contact",
    ]
    assert people + facts == titles


def test_facts_of_the_run_are_in_the_card(root: Path) -> None:
    """Files, intervals, slices, parameters and lineage are filled in."""
    text = render(root)
    assert "| ROC AUC ↑ | 0.727 [0.712, 0.742] |" in text
    assert "| `data/a.parquet` | 2,700 |" in text
    assert "| `origin` = `EWR` | 400 |" in text
    assert "| `C` | `0.5` |" in text
    assert "| Commit | `0123456789abcdef0123456789abcdef01234567` |" in text


def test_card_does_not_depend_on_when_or_how_fast_it_was_made(root: Path) -> None:
    """The same commit gives the same card."""
    again = make_run(started="2030-01-01T00:00:00+00:00", seconds=99.0, reused=True, mlflow_run="x")
    assert render(root) == render(root, run=again)
    assert " at 0x" not in render(root)


def test_policies_are_in_the_card(root: Path) -> None:
    """With their evidence, and those that are waived; built-in gates are in the report."""
    waiver = r.WaiverResult(reason="until *spring*", until="2999-12-31", expired=False)
    expired = waiver.model_copy(update={"until": "2020-12-31", "expired": True})
    gates = [
        r.Gate(name="size", passed=True, evidence="1 MB"),
        r.Gate(name="fair", passed=True, evidence="gap of 1 %", policy="policies:fair"),
        r.Gate(name="cheap", passed=False, evidence="21 €", policy="policies:cheap", waiver=waiver),
        r.Gate(name="slow", passed=False, evidence="late", policy="policies:slow", waiver=expired),
    ]
    card = render(root, comparison=make_comparison("binary", gates=gates))
    assert "### Policies" in card
    assert "| fair | holds | gap of 1 % |" in card
    assert "| cheap | waived until 2999-12-31: until \\*spring\\* | 21 € |" in card
    assert "| slow | does not hold | late |" in card
    assert "| size |" not in card
    assert "### Policies" not in render(root)


@pytest.mark.parametrize("content", ["a: [", "just text", "license: mit"])
def test_broken_front_matter_is_one_sentence(root: Path, content: str) -> None:
    """The file and what was expected are named."""
    (root / "model_cards" / "metadata.yaml").write_text(content)
    with pytest.raises(LifecycleError, match=r"model_cards/metadata.yaml: expected"):
        render(root)


def test_missing_front_matter_is_one_sentence(root: Path) -> None:
    """The command that helps is named."""
    shutil.rmtree(root / "model_cards")
    with pytest.raises(LifecycleError, match=r"model_cards/metadata.yaml is missing; restore it"):
        render(root)
