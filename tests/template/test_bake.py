"""What is baked is whole, is nobody's in particular, and is the same however it is baked."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from itertools import product
from pathlib import Path

import pytest
import yaml

from baking import Bake, list_files
from gitops_ml.data.lock import read_lock
from gitops_ml.report.card_sections import read_metadata, read_sections
from rehearsal.bake import PROBLEMS, ROOT

TREE = """
.dockerignore
.editorconfig
.gitattributes
.github/CODEOWNERS
.github/actions/fetch-comparison/action.yml
.github/actions/setup-cml/action.yml
.github/actions/setup/action.yml
.github/dependabot.yml
.github/pull_request_template.md
.github/rulesets/main.json
.github/rulesets/production.json
.github/scripts/authenticate_git.sh
.github/scripts/fetch_bundle.sh
.github/scripts/merge_retraining.sh
.github/scripts/neutralise_report.py
.github/scripts/propose_retraining.sh
.github/scripts/register.sh
.github/scripts/tell_alarm.sh
.github/workflows/checks.yml
.github/workflows/deploy.yml
.github/workflows/monitor.yml
.github/workflows/report.yml
.github/workflows/rollback.yml
.github/workflows/site.yml
.github/workflows/train.yml
.gitignore
LICENSE
Makefile
README.md
data.lock
data/flights-2013-01.parquet
data/flights-2013-02.parquet
data/flights-2013-03.parquet
data/flights-2013-04.parquet
data/flights-2013-05.parquet
data/flights-2013-06.parquet
data/flights-2013-07.parquet
data/flights-2013-08.parquet
data/flights-2013-09.parquet
data/flights-2013-10.parquet
data/flights-2013-11.parquet
data/flights-2013-12.parquet
deploy/Dockerfile
deploy/argocd.yaml
deploy/compose.yaml
deploy/flux.yaml
deploy/k8s/autoscaler.yaml
deploy/k8s/deployment.yaml
deploy/k8s/disruption.yaml
deploy/k8s/kustomization.yaml
deploy/k8s/network.yaml
deploy/k8s/service.yaml
model_cards/contact.md
model_cards/description.md
model_cards/ethics.md
model_cards/intended_use.md
model_cards/limitations.md
model_cards/metadata.yaml
params.schema.json
params.yaml
pyproject.toml
requirements.txt
src/flight_delays/__init__.py
src/flight_delays/features.py
src/flight_delays/models.py
src/flight_delays/schema.py
tests/conftest.py
tests/test_behaviour.py
tests/test_features.py
tests/test_project.py
tests/test_schema.py
vendor/gitops_ml-0.1.0-py3-none-any.whl
vendor/requirements.txt
"""
ODD = "O'Reilly's \"Ünïcode\" \\ 航班 🛫 100% #1: a\\b"
LICENSES = {"MIT": "MIT License", "Apache-2.0": "Apache License", "Proprietary": "All rights reserved"}
# What no file of a bake may hold: pieces of the template, its name, the default answers, paths of a machine.
LEFTOVERS = re.compile(
    r"cookiecutter|github.com/octocat|flight.delays|\{%|(?<!\$)\{\{|/wor[k]/|/tm[p]/|/home/|/roo[t]/",
    re.IGNORECASE,
)
BINARY = (".parquet", ".whl")


@pytest.mark.parametrize("problem", PROBLEMS)
def test_tree(bake: Bake, problem: str) -> None:
    """Each problem bakes exactly these files."""
    assert TREE.split() == list_files(bake(problem=problem))


def test_months_that_wait(bake: Bake) -> None:
    """January to August are accepted; the rest is there as data that nobody has accepted."""
    months = [f"data/flights-2013-{month:02}.parquet" for month in range(1, 13)]
    project = bake()
    assert months == [path for path in list_files(project) if path.startswith("data/")]
    assert months[:8] == [file.path for file in read_lock(project).files]


@pytest.mark.parametrize("license", ["MIT", "Apache-2.0", "Proprietary"])
def test_model_card_begins_with_the_answers(bake: Bake, license: str) -> None:
    """Its metadata can be read, its license is one the hub knows, and its description is written."""
    project = bake(project_name="Cows", license=license)
    metadata = read_metadata(project)
    assert "Cows" == metadata["model_name"]
    assert metadata["license"] in {"mit", "apache-2.0", "other"}
    assert ("license_name" in metadata) == (metadata["license"] == "other")
    assert read_sections(project)["description"].written


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_team_can_own_it(bake: Bake, problem: str) -> None:
    """A bake has at most 80 files and 1,000 lines of Python."""
    project = bake(problem=problem)
    files = [project / path for path in list_files(project)]
    lines = sum(path.read_text(encoding="utf-8").count("\n") for path in files if path.suffix == ".py")
    assert 80 >= len(files)
    assert 1000 >= lines


@pytest.mark.parametrize(("problem", "license"), [*product(PROBLEMS, LICENSES)])
@pytest.mark.parametrize("name", ["Alice & Bob's Flights", "Ünïcode 航班", "q", "x" * 40])
def test_no_leftovers(bake: Bake, problem: str, license: str, name: str) -> None:
    """Whatever the answers, nothing of the template and of its authors is left."""
    project = bake(project_name=name, problem=problem, license=license, github_owner="wonderland")
    found = [
        f"{path}:{number}: {line}"
        for path in list_files(project)
        if not path.endswith(BINARY)
        for number, line in enumerate((project / path).read_text(encoding="utf-8").splitlines(), start=1)
        if LEFTOVERS.search(line)
    ]
    assert [] == found
    assert [] == [path for path in list_files(project) if "cookiecutter" in path or "{" in path]
    assert LICENSES[license] in (project / "LICENSE").read_text(encoding="utf-8")
    for path in ("LICENSE", ".github/CODEOWNERS"):
        text = (project / path).read_text(encoding="utf-8")
        assert ("wonderland" in text, "octocat" in text) == (True, False)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_odd_answers_survive(bake: Bake, problem: str) -> None:
    """Quotes, backslashes and letters of any script arrive as they were given, and break no file."""
    project = bake(project_name=ODD, description=ODD, problem=problem)
    assert (
        ODD
        == tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["description"]
    )
    assert (project / "README.md").read_text(encoding="utf-8").startswith(f"# {ODD}\n\n{ODD}\n")
    for path in project.rglob("*"):
        if path.suffix == ".py":
            ast.parse(path.read_text(encoding="utf-8"))
        elif path.suffix in {".yml", ".yaml", ".lock"}:
            list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", ["q", "Zebra", "x" * 40])
def test_lint_whatever_the_name(bake: Bake, problem: str, name: str) -> None:
    """Imports stay in order and lines within their length, however long the package's name is."""
    project = bake(project_name=name, problem=problem)
    for verb in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *verb, "--no-cache", "."]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        assert 0 == done.returncode, done.stdout + done.stderr


def test_answers_change_no_dependency(bake: Bake, template: Path) -> None:
    """All bakes install the same packages: the list is copied as it is."""
    lists = [bake(project_name="Other", problem=problem) / "requirements.txt" for problem in PROBLEMS]
    original = template / "{{cookiecutter.__project_slug}}" / "requirements.txt"
    assert [original.read_bytes()] * 2 == [path.read_bytes() for path in lists]


def test_nothing_of_this_machine_is_committed() -> None:
    """Tracked files hold no link, no address of a package index and no path of one machine."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    machine = re.compile(
        rb"file:///|--(extra-)?index-url|--find-links (/|\w+:)|/opt/|/wor[k]/|/roo[t]/|/home/[a-z]"
    )
    texts = [
        path for path in paths if path.is_file() and path.suffix not in BINARY and path != Path(__file__)
    ]
    assert [] == [path for path in paths if path.is_symlink()]
    assert [] == [path for path in texts if machine.search(path.read_bytes())]


@pytest.mark.parametrize("name", ["run", "test", "check", "setup", "help"])
def test_make_shows_its_steps_without_uv(bake: Bake, tmp_path: Path, name: str) -> None:
    """On a machine that has only Python, git and make, ``make -n`` says what it would do."""
    for program in ("sh", "python3", "git", "make", "sed", "touch", "rm"):
        (tmp_path / program).symlink_to(find(program))
    done = subprocess.run(
        ["make", "--dry-run", name],
        cwd=bake(),
        env={"PATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    if name != "help":
        assert "python3 -m venv --clear .venv" in done.stdout
        assert "-m pip install --quiet --disable-pip-version-check uv==" in done.stdout
        assert ".venv/bin/uv pip install" in done.stdout
        assert "--require-hashes" in done.stdout


def find(program: str) -> Path:
    """Return where a program is, on the path of this process."""
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    return next(folder / program for folder in folders if (folder / program).is_file())
