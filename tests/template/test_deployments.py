"""A deployment may die anywhere, and two may come at once: production stays in order."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest

from baking import Lend
from deploying import DIGEST, IMAGE, Deployment, find_build
from rehearsal import edits
from rehearsal.forge import Forge, git
from rehearsal.stage import DEPLOY, Stage, make_runner
from rehearsal.timeline import Timeline

Deploy = Callable[[str], Deployment]


@pytest.fixture
def deploy(played: Path, lend: Lend, tmp_path: Path) -> Iterator[Deploy]:
    """Give the job that deploys what a branch has built, before its first step."""
    shutil.copytree(played / "forge", tmp_path / "forge")
    with Forge(tmp_path / "forge") as forge:
        repository = forge.repository("octocat/flight-delays")

        def prepare(branch: str) -> Deployment:
            deployment = Deployment(forge, repository, tmp_path / branch / "workspace", played / "project")
            deployment.prepare(lend, find_build(repository, forge, branch))
            return deployment

        yield prepare


def test_deployment_that_dies(deploy: Deploy) -> None:
    """Wherever a deployment dies, production is as it was or as it shall be; the next one finishes it."""
    deployment = deploy("rate")
    before = deployment.read_production()
    version = deployment.plan()
    assert str(before[0]["version"] + 1) == version
    assert deployment.run("Release", "gh", VERSION=version)
    calls = range(1, deployment.count_calls() + 1)
    for call, when in product(calls, ("before", "after")):
        assert not deployment.run("Release", "gh", f"{call}:{when}", VERSION=version), (call, when)
    assert before == deployment.read_production()
    assert deployment.run("Release", VERSION=version)
    for dies in ("ls-remote:before", "fetch:after", "commit-tree:before", "commit-tree:after", "push:before"):
        assert not deployment.run("Put it into production", "git", dies, VERSION=version)
        assert before == deployment.read_production()
    assert not deployment.run("Put it into production", "git", "push:after", VERSION=version)
    state, _ = deployment.read_production()
    assert (version, f"{IMAGE}@{DIGEST}") == (str(state["version"]), state["image"])
    assert "" == deployment.plan()
    assets = ["bundle.tar.gz", "sbom.cdx.json", "metrics.json", "model_card.md", "report.html"]
    assert [(False, assets)] == deployment.list_releases(version)


def test_registration(deploy: Deploy) -> None:
    """What runs and what ran before is registered from the releases, where MLflow never heard of it."""
    deployment = deploy("rate")
    database = deployment.workspace.parent / "mlflow.db"
    deployment.run("Register in MLflow", MLFLOW_TRACKING_URI=f"sqlite:///{database}")
    versions = deployment.list_versions()
    before = next(version for version in versions if version != versions[0])
    assert {"champion": str(versions[0]), "previous": str(before)} == read_aliases(database)


def read_aliases(database: Path) -> dict[str, str]:
    """Return which version of production each alias names."""
    query = "SELECT alias, value FROM registered_model_aliases JOIN model_version_tags USING (name, version)"
    with closing(sqlite3.connect(database)) as store:
        return dict(store.execute(f"{query} WHERE key = 'production_version'").fetchall())


def test_two_merges_at_once(played: Path, tmp_path: Path) -> None:
    """Two merges before the first of them is deployed: one after the other, each has a version of its own."""
    shutil.copytree(played / "forge", tmp_path / "forge")
    shutil.copytree(played / "project", tmp_path / "project")
    with Forge(tmp_path / "forge") as forge:
        runner = make_runner(forge, played / "project", tmp_path, played / "environments")
        stage = Stage(forge, forge.repository("octocat/flight-delays"), runner, Timeline(), tmp_path)
        stage.git("remote", "set-url", "origin", str(stage.repository.path))
        numbers = [open_approved(stage, "seed", r"seed: \d+"), open_approved(stage, "folds", r"folds: \d+")]
        forge.events.clear()
        newest = stage.read_production() or 0
        assert [None, None] == [stage.merge(number) for number in numbers]
        runs = [run for run in stage.play() if run.workflow.path == DEPLOY]
        assert ["success", "success"] == [run.conclusion for run in runs], runs[-1].outcome.log
        commits = git.git(stage.repository.path, "rev-list", "--first-parent", "production").split()[:2]
        models = [json.loads(git.git(stage.repository.path, "show", f"{sha}:model.json")) for sha in commits]
        assert [newest + 2, newest + 1] == [model["version"] for model in models]
        assert [run.record["head_sha"] for run in reversed(runs)] == [model["commit"] for model in models]
        tags = [release["tag_name"] for release in stage.repository.list("releases")]
        assert [1, 1] == [tags.count(f"model-v{newest + more}") for more in (1, 2)]


def open_approved(stage: Stage, key: str, pattern: str) -> int:
    """Open a pull request that sets a number to 4, and let its check have passed; return its number."""
    stage.begin(key)
    params = stage.project / "params.yaml"
    params.write_text(re.sub(pattern, f"{key}: 4", params.read_text()))
    edits.waive_gates(stage.project, "2999-12-31")  # by chance it may be a little worse
    stage.push(key, f"Set {key} to 4")
    times = {"started_at": "2026-01-01T00:00:00Z", "completed_at": "2026-01-01T00:01:00Z"}
    head = stage.git("rev-parse", "HEAD")
    check = {"name": "gate", "run": 1, "head_sha": head, "status": "completed", "conclusion": "success"}
    stage.repository.add("checks", check | times)
    return stage.open(f"Set {key} to 4", "It might help.", key)
