"""How a rehearsal is asked for, how it edits a project, and what it tells."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from baking import Bake, list_files
from rehearsal import edits
from rehearsal.__main__ import main
from rehearsal.bake import PROBLEMS
from rehearsal.edits import EditError
from rehearsal.scenes import SCENES
from rehearsal.timeline import Timeline


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("edit", [edits.improve_model, edits.cripple_model, edits.learn_faster])
def test_edits(bake: Bake, problem: str, edit: Callable[[Path], object]) -> None:
    """An edit changes Python that can still be read, and names candidates that exist."""
    project = bake(problem=problem)
    files = [path for name in ("models.py", "features.py") for path in project.glob(f"src/*/{name}")]
    before = [path.read_text() for path in files]
    edit(project)
    after = [path.read_text() for path in files]
    assert before != after
    for text in after:
        ast.parse(text)
    names = yaml.safe_load((project / "params.yaml").read_text())["train"]["candidates"]
    assert [] == [name for name in names if f'"{name}"' not in after[0]]


def test_waivers_are_replaced(bake: Bake) -> None:
    """To waive for another time touches no other setting."""
    params = bake() / "params.yaml"
    before = yaml.safe_load(params.read_text())
    edits.waive_gates(params.parent, "2999-12-31")
    edits.waive_gates(params.parent, "2020-12-31")
    after = yaml.safe_load(params.read_text())
    assert {"2020-12-31"} == {str(waiver["until"]) for waiver in after["gates"].pop("waive")}
    assert before == after


def test_curious_workflow(bake: Bake) -> None:
    """What a curious fork makes of the workflow is still one, which asks for more than it will get."""
    project = bake()
    edits.be_curious(project)
    job = yaml.safe_load((project / ".github/workflows/train.yml").read_text())["jobs"]["gate"]
    assert "write" == job["permissions"]["pull-requests"]
    assert "Be curious" == job["steps"][0]["name"]


@pytest.mark.parametrize("edit", [edits.let_models_vote, edits.cripple_model, edits.learn_faster])
def test_another_project(tmp_path: Path, edit: Callable[[Path], None]) -> None:
    """In a project that has no place for an edit, one sentence says so."""
    (tmp_path / "src" / "mine").mkdir(parents=True)
    with pytest.raises(EditError, match=r"src/\*/models.py is missing"):
        edit(tmp_path)
    (tmp_path / "src" / "mine" / "models.py").write_text("def candidates(): ...\n")
    with pytest.raises(EditError, match="rehearse another one"):
        edit(tmp_path)


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    """The scenes are listed, each with what happens in it."""
    assert 0 == main(["--list"])
    lines = capsys.readouterr().out.splitlines()
    assert list(SCENES) == [line.split()[0] for line in lines]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["drama"], f"there is no scene 'drama'; the scenes are {', '.join(SCENES)}"),
        (["--project", "."], ". has no params.yaml; --project wants the folder of a baked project"),
        (["--keep", "."], ". is not empty; --keep wants a new folder"),
    ],
)
def test_wrong_usage(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Wrong usage is one sentence and status 2, and nothing is written."""
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert 2 == ended.value.code
    assert expected in capsys.readouterr().err
    assert ["file"] == list_files(tmp_path)


def test_timeline(capsys: pytest.CaptureFixture[str]) -> None:
    """What happens is printed as it happens, and what was not expected is counted."""
    timeline = Timeline()
    timeline.begin("better")
    timeline.tell("#1 is opened")
    timeline.expect(True, "it is merged", "it is not")
    timeline.expect(False, "it is merged", "it is not")
    assert ["#1 is opened", "it is merged", "Unexpected: it is not"] == [
        event.text for event in timeline.events
    ]
    assert 1 == timeline.surprises
    assert 3 == len(capsys.readouterr().out.splitlines())
