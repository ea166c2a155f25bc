"""Functions of a team's own: the examples of the documentation, run as they are written there."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from gitops_ml.core.records import ComparisonRecord, Gate, Records, read_records
from gitops_ml.training import train as training
from toys import ROOT, edit_params, enter, mlops, replay_here, run

PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
MODULES = dict(re.findall(r"```python\n# (src/\w+\.py)\n(.*?)```", PAGE, re.DOTALL))
SETTINGS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def extend(root: Path, finished: Path) -> None:
    """Give a project all functions of the page, and a champion of another seed."""
    shutil.copytree(finished / "build/bundle", root / "champion/bundle")
    (root / "champion/model.json").write_text(json.dumps({"version": 3}))
    for name, text in MODULES.items():
        (root / name).write_text(text)
    for sections in SETTINGS:
        edit_params(root, **sections)
    edit_params(root, train={"seed": 7})


def isolate(patch: pytest.MonkeyPatch) -> None:
    """Import a project's modules, and let its champion predict, for one test alone."""
    patch.setattr(sys, "path", [*sys.path])
    replay_here(patch)
    for name in MODULES:
        patch.delitem(sys.modules, Path(name).stem, raising=False)


@pytest.fixture
def extended(project: Path, finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An extended project without a build."""
    extend(project, finished)
    isolate(monkeypatch)
    return project


@pytest.fixture(scope="module")
def run_once(accepted: Path, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An extended project after a run; copy it, do not change it."""
    root = tmp_path_factory.mktemp("extended")
    shutil.copytree(accepted, root, dirs_exist_ok=True)
    extend(root, finished)
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        isolate(patch)
        run("run")
    return root


@pytest.fixture
def ran(run_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to work in; it is the current folder."""
    shutil.copytree(run_once, tmp_path, dirs_exist_ok=True)
    enter(tmp_path, monkeypatch)
    isolate(monkeypatch)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    """Edit a module, which is imported anew then, as another process would."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    sys.modules.pop(path.stem, None)


def read(root: Path) -> Records:
    return read_records(root / "build")


def find_gate(root: Path, name: str) -> Gate:
    return next(gate for gate in ComparisonRecord.read(root / "build").gates if gate.name == name)


def test_every_module_of_the_page_is_tried() -> None:
    """The page and this test name the same ones."""
    assert ["src/policies.py", "src/sections.py", "src/costs.py", "src/deliveries.py"] == list(MODULES)


def test_policies_sections_and_metrics_are_in_the_report(ran: Path) -> None:
    """As the page says."""
    fair = find_gate(ran, "All airports are warned as often as they have delays")
    assert re.fullmatch(r"(EWR|JFK|LGA) is off by [+-]\d+\.\d%, at most 25 %", fair.evidence)
    cost = find_gate(ran, "A flight costs less than 20 euros, and at most 5 % more than with the champion")
    assert re.fullmatch(r"\d+\.\d\d euros; \d+\.\d\d after \d+\.\d\d", cost.evidence)
    records = read(ran)
    assert records.evaluation is not None
    [mean_cost] = [metric for metric in records.evaluation.metrics if metric.name == "costs:mean_cost"]
    assert not mean_cost.greater_is_better
    assert f"{mean_cost.model.value:.2f} euros" in cost.evidence

    report = (ran / "build/report.md").read_text()
    assert re.search(r"#### Delays of \d+ airlines\n\n\| Airline \|.*\n\| :-- \|.*\n\| 9E \| \d+ \|", report)
    assert "| ✅ | All airports are warned as often as they have delays |" in report
    page = (ran / "build/report.html").read_text()
    assert '<td style="text-align:left">9E</td>' in page
    assert fair.name in run("gate", "--json").stdout
    assert f"| {fair.name} | holds | " in (ran / "build/model_card.md").read_text()


def test_a_source_is_fetched(extended: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The month that is not there yet."""
    api = tmp_path / "api"
    api.mkdir()
    pd.DataFrame({"month": ["2013-01", "2013-03"]}).to_csv(api / "months.csv", index=False)
    flights = pd.read_parquet(extended / "data/flights-2013-01.parquet")
    flights.to_csv(api / "2013-03.csv", index=False)
    monkeypatch.setenv("FLIGHTS_API", str(api))
    assert "data/flights-2013-03.parquet" in run("data", "fetch").stdout
    copied = pd.read_parquet(extended / "data/flights-2013-03.parquet")
    pd.testing.assert_series_equal(flights["scheduled_departure"], copied["scheduled_departure"])


def test_a_changed_policy_decides_anew_and_trains_nothing(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts for the comparison, not for the model; the gate fails and can be waived by its name."""
    assert "Nothing has changed" in run("run").stdout
    monkeypatch.setattr(training, "train", lambda *_: 1 / 0)
    edit(ran / "src/policies.py", "<= 0.25", "<= 0.0")
    run("run")
    name = "All airports are warned as often as they have delays"
    assert not find_gate(ran, name).passed
    failed = mlops("gate")
    assert 1 == failed.exit_code
    assert f"gate '{name}' does not hold" in failed.stderr
    waiver = {"gate": name, "reason": "until spring", "until": "2999-12-31"}
    edit_params(ran, gates={"waive": [waiver]})
    run("compare")
    assert f"'{name}' is waived until 2999-12-31" in mlops("gate").output


def test_what_fails_in_a_function_ends_no_run(ran: Path) -> None:
    """A policy that raises is a gate that does not hold; a section that raises is a sentence."""
    edit(ran / "src/policies.py", '"origin"', '"airport"')
    edit(ran / "src/sections.py", '"carrier"', '"airline"')
    run("run")
    gate = find_gate(ran, "All airports are warned as often as they have delays")
    assert (False, "policies:fair_by_origin raised KeyError: 'airport'") == (gate.passed, gate.evidence)
    report = (ran / "build/report.md").read_text()
    assert r"> This section is missing: sections:by\_carrier raised KeyError" in report
    assert 1 == mlops("gate").exit_code


def test_a_section_is_shown_again_without_its_function(ran: Path) -> None:
    """`mlops report` writes what was found; when none is named any more, the comparison leaves it out."""
    (ran / "src/sections.py").unlink()
    run("report")
    assert "| Airline |" in (ran / "build/report.md").read_text()
    edit_params(ran, report={"sections": []})
    run("compare")
    assert "| Airline |" not in (ran / "build/report.md").read_text()


def test_the_same_model_is_a_champion_that_predicts_all_test_rows(extended: Path, finished: Path) -> None:
    """A change that changes no model is judged by the policies all the same."""
    seed = yaml.safe_load((finished / "params.yaml").read_text())["train"]["seed"]
    edit_params(extended, train={"seed": seed})
    (extended / "src/policies.py").write_text(
        "def fair_by_origin(context):\n"
        "    same = (context.champion.label == context.challenger.label).all()\n"
        "    return bool(same), f'{len(context.champion_rows)} of {len(context.rows)} rows'\n"
        "def affordable(context):\n"
        "    return context.comparison.champion.same\n"
    )
    run("run")
    gate = find_gate(extended, "fair by origin")
    rows = read(extended).evaluation.rows  # type: ignore[union-attr]
    assert (True, f"{rows} of {rows} rows") == (gate.passed, gate.evidence)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gates": {"policies": ["policies:fair"]}}, "gates.policies names 'policies:fair', but 'policies'"),
        (
            {"report": {"sections": ["section:x"]}},
            "report.sections names 'section:x', but there is no module",
        ),
        ({"evaluate": {"metrics": ["roc_auc", "costs:x"]}}, "evaluate.metrics names 'costs:x', but 'costs'"),
        (
            {"gates": {"waive": [{"gate": "latncy", "reason": "x", "until": "2999-01-01"}]}},
            "gates.waive names 'latncy', which is no gate; did you mean 'latency'?",
        ),
    ],
)
def test_what_is_missing_is_refused_before_training(
    extended: Path, changes: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sentence, which the report has, too."""
    monkeypatch.setattr(training, "train", lambda *_: 1 / 0)
    edit_params(extended, **changes)
    failed = mlops("run")
    assert 1 == failed.exit_code
    assert words in failed.stderr
    assert words in (extended / "build/report.md").read_text()
