"""What is baked is whole, is nobody's in particular, and is the same however it is baked."""

from __future__ import annotations

import ast
import filecmp
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

from conftest import Bake, list_files
from rehearsal.bake import PROBLEMS, ROOT, clean_environment, commit

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
deploy/build-requirements.txt
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
src/flight_delays/cli.py
src/flight_delays/commands/__init__.py
src/flight_delays/commands/data.py
src/flight_delays/commands/deployment.py
src/flight_delays/commands/options.py
src/flight_delays/commands/stages.py
src/flight_delays/commands/watching.py
src/flight_delays/console.py
src/flight_delays/features.py
src/flight_delays/models.py
src/flight_delays/monitoring/__init__.py
src/flight_delays/monitoring/arrivals.py
src/flight_delays/monitoring/calibration.py
src/flight_delays/monitoring/charts.py
src/flight_delays/monitoring/data_look.py
src/flight_delays/monitoring/distance.py
src/flight_delays/monitoring/drawing.py
src/flight_delays/monitoring/drift.py
src/flight_delays/monitoring/headline.py
src/flight_delays/monitoring/health.py
src/flight_delays/monitoring/history.py
src/flight_delays/monitoring/judgement.py
src/flight_delays/monitoring/log.py
src/flight_delays/monitoring/log_files.py
src/flight_delays/monitoring/log_folder.py
src/flight_delays/monitoring/look.py
src/flight_delays/monitoring/markdown.py
src/flight_delays/monitoring/output.py
src/flight_delays/monitoring/page.py
src/flight_delays/monitoring/performance.py
src/flight_delays/monitoring/prose.py
src/flight_delays/monitoring/records.py
src/flight_delays/monitoring/retraining.py
src/flight_delays/monitoring/seen.py
src/flight_delays/monitoring/site.py
src/flight_delays/monitoring/summary.py
src/flight_delays/monitoring/tally.py
src/flight_delays/monitoring/templates/card.html.jinja
src/flight_delays/monitoring/templates/head.html.jinja
src/flight_delays/monitoring/templates/monitoring.html.jinja
src/flight_delays/monitoring/templates/monitoring.md.jinja
src/flight_delays/monitoring/templates/retraining.md.jinja
src/flight_delays/monitoring/templates/site.css
src/flight_delays/monitoring/templates/site.html.jinja
src/flight_delays/monitoring/templates/trends.css
src/flight_delays/monitoring/templates/trends.html.jinja
src/flight_delays/monitoring/timeline.py
src/flight_delays/monitoring/traffic.py
src/flight_delays/monitoring/trends.py
src/flight_delays/monitoring/versions.py
src/flight_delays/pipeline/__init__.py
src/flight_delays/pipeline/acceptance.py
src/flight_delays/pipeline/archive.py
src/flight_delays/pipeline/bins.py
src/flight_delays/pipeline/breach.py
src/flight_delays/pipeline/build.py
src/flight_delays/pipeline/bundle.py
src/flight_delays/pipeline/canvas.py
src/flight_delays/pipeline/card.py
src/flight_delays/pipeline/challenge.py
src/flight_delays/pipeline/champion.py
src/flight_delays/pipeline/changes.py
src/flight_delays/pipeline/charts.py
src/flight_delays/pipeline/columns.py
src/flight_delays/pipeline/comparison.py
src/flight_delays/pipeline/contents.py
src/flight_delays/pipeline/contract.py
src/flight_delays/pipeline/curves.py
src/flight_delays/pipeline/data.py
src/flight_delays/pipeline/database.py
src/flight_delays/pipeline/drift.py
src/flight_delays/pipeline/entries.py
src/flight_delays/pipeline/environment.py
src/flight_delays/pipeline/errors.py
src/flight_delays/pipeline/evaluation.py
src/flight_delays/pipeline/fetching.py
src/flight_delays/pipeline/figures.py
src/flight_delays/pipeline/fitting.py
src/flight_delays/pipeline/gates.py
src/flight_delays/pipeline/golden.py
src/flight_delays/pipeline/headline.py
src/flight_delays/pipeline/importance.py
src/flight_delays/pipeline/isolation.py
src/flight_delays/pipeline/lifecycle.py
src/flight_delays/pipeline/lock.py
src/flight_delays/pipeline/manifests.py
src/flight_delays/pipeline/markdown.py
src/flight_delays/pipeline/measurement.py
src/flight_delays/pipeline/metrics.py
src/flight_delays/pipeline/package.py
src/flight_delays/pipeline/page.py
src/flight_delays/pipeline/persistence.py
src/flight_delays/pipeline/plausibility.py
src/flight_delays/pipeline/prediction.py
src/flight_delays/pipeline/probe.py
src/flight_delays/pipeline/production.py
src/flight_delays/pipeline/profile.py
src/flight_delays/pipeline/progress.py
src/flight_delays/pipeline/project.py
src/flight_delays/pipeline/promotion.py
src/flight_delays/pipeline/ranking.py
src/flight_delays/pipeline/records.py
src/flight_delays/pipeline/registry.py
src/flight_delays/pipeline/replay.py
src/flight_delays/pipeline/report.py
src/flight_delays/pipeline/requirements.py
src/flight_delays/pipeline/resampling.py
src/flight_delays/pipeline/reuse.py
src/flight_delays/pipeline/revision.py
src/flight_delays/pipeline/run.py
src/flight_delays/pipeline/runkey.py
src/flight_delays/pipeline/sbom.py
src/flight_delays/pipeline/scores.py
src/flight_delays/pipeline/seal.py
src/flight_delays/pipeline/sections.py
src/flight_delays/pipeline/settings.py
src/flight_delays/pipeline/slices.py
src/flight_delays/pipeline/smoke.py
src/flight_delays/pipeline/sources.py
src/flight_delays/pipeline/split.py
src/flight_delays/pipeline/store.py
src/flight_delays/pipeline/summary.py
src/flight_delays/pipeline/sums.py
src/flight_delays/pipeline/templates/card_data.md.jinja
src/flight_delays/pipeline/templates/card_evaluation.md.jinja
src/flight_delays/pipeline/templates/card_introduction.md.jinja
src/flight_delays/pipeline/templates/card_lineage.md.jinja
src/flight_delays/pipeline/templates/card_loading.md.jinja
src/flight_delays/pipeline/templates/card_model.md.jinja
src/flight_delays/pipeline/templates/page.css
src/flight_delays/pipeline/templates/page.html.jinja
src/flight_delays/pipeline/templates/report.md.jinja
src/flight_delays/pipeline/tracked.py
src/flight_delays/pipeline/tracking.py
src/flight_delays/pipeline/training.py
src/flight_delays/pipeline/validation.py
src/flight_delays/pipeline/verdict.py
src/flight_delays/pipeline/weighting.py
src/flight_delays/pipeline/wording.py
src/flight_delays/schema.py
src/flight_delays/serving/__init__.py
src/flight_delays/serving/answers.py
src/flight_delays/serving/app.py
src/flight_delays/serving/batching.py
src/flight_delays/serving/checking.py
src/flight_delays/serving/converting.py
src/flight_delays/serving/guard.py
src/flight_delays/serving/imports.py
src/flight_delays/serving/log_format.py
src/flight_delays/serving/metrics.py
src/flight_delays/serving/model.py
src/flight_delays/serving/openapi.py
src/flight_delays/serving/overload.py
src/flight_delays/serving/prediction_log.py
src/flight_delays/serving/reading.py
src/flight_delays/serving/refusal.py
src/flight_delays/serving/server.py
src/flight_delays/serving/summary.py
src/flight_delays/serving/wording.py
tests/conftest.py
tests/examples.py
tests/looks.py
tests/misfits.py
tests/reader.py
tests/servers.py
tests/services.py
tests/test_behaviour.py
tests/test_build.py
tests/test_bundle.py
tests/test_calibration.py
tests/test_card.py
tests/test_challenge.py
tests/test_changes.py
tests/test_charts.py
tests/test_cli.py
tests/test_columns.py
tests/test_comparison.py
tests/test_console.py
tests/test_contest.py
tests/test_contract.py
tests/test_data.py
tests/test_data_look.py
tests/test_distance.py
tests/test_drift.py
tests/test_environment.py
tests/test_evaluation.py
tests/test_features.py
tests/test_fetching.py
tests/test_figures.py
tests/test_gates.py
tests/test_headline.py
tests/test_history.py
tests/test_interruption.py
tests/test_isolation.py
tests/test_judgement.py
tests/test_lifecycle.py
tests/test_manifests.py
tests/test_metrics.py
tests/test_models.py
tests/test_monitor.py
tests/test_monitoring_health.py
tests/test_monitoring_log.py
tests/test_monitoring_markdown.py
tests/test_monitoring_page.py
tests/test_package.py
tests/test_page.py
tests/test_performance.py
tests/test_persistence.py
tests/test_plausibility.py
tests/test_prediction.py
tests/test_profile.py
tests/test_promotion.py
tests/test_prose.py
tests/test_records.py
tests/test_refusals.py
tests/test_registry.py
tests/test_replay.py
tests/test_report.py
tests/test_requirements.py
tests/test_resampling.py
tests/test_revision.py
tests/test_runkey.py
tests/test_sbom.py
tests/test_schema.py
tests/test_serving.py
tests/test_serving_checking.py
tests/test_serving_fuzz.py
tests/test_serving_process.py
tests/test_settings.py
tests/test_site.py
tests/test_smoke.py
tests/test_sources.py
tests/test_split.py
tests/test_store.py
tests/test_summary.py
tests/test_tally.py
tests/test_tracking.py
tests/test_training.py
tests/test_validation.py
tests/test_wording.py
tests/watched.py
"""
ODD = "O'Reilly's \"Ünïcode\" \\ 航班 🛫 100% #1: a\\b"
LICENSES = {"MIT": "MIT License", "Apache-2.0": "Apache License", "Proprietary": "All rights reserved"}
# What no file of a bake may hold: pieces of the template, its name, the default answers, paths of a machine.
LEFTOVERS = re.compile(
    r"cookiecutter|github.com/octocat|flight.delays|\{%|(?<!\$)\{\{|/wor[k]/|/tm[p]/|/home/|/roo[t]/",
    re.IGNORECASE,
)
# Templates of reports, model cards and pages, which the project fills in itself.
TEMPLATES = re.compile(r"/(pipeline|monitoring)/templates/")


@pytest.mark.parametrize("problem", PROBLEMS)
def test_tree(bake: Bake, problem: str) -> None:
    """Each problem bakes exactly these files."""
    assert TREE.split() == list_files(bake(problem=problem))


@pytest.mark.parametrize(("problem", "license"), [*product(PROBLEMS, LICENSES)])
@pytest.mark.parametrize("name", ["Alice & Bob's Flights", "Ünïcode 航班", "q", "x" * 40])
def test_no_leftovers(bake: Bake, problem: str, license: str, name: str) -> None:
    """Whatever the answers, nothing of the template and of its authors is left."""
    project = bake(project_name=name, problem=problem, license=license, github_owner="wonderland")
    found = [
        f"{path}:{number}: {line}"
        for path in list_files(project)
        if not path.endswith(".parquet") and not TEMPLATES.search(path)
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


def test_cruft(bake: Bake, template: Path, tmp_path: Path) -> None:
    """``cruft create`` from a clone gives the same files as ``cookiecutter``, and its own note."""
    commit(template, "Template")
    home = {**clean_environment(), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [
        sys.executable,
        "-m",
        "cruft",
        "create",
        str(template),
        "--no-input",
        "--output-dir",
        str(tmp_path),
    ]
    subprocess.run(command, env=home, check=True, capture_output=True)
    crufted, baked = tmp_path / "flight-delays", bake()
    files = list_files(baked)
    assert sorted([*files, ".cruft.json"]) == list_files(crufted)
    assert (files, [], []) == filecmp.cmpfiles(baked, crufted, files, shallow=False)


def test_nothing_of_this_machine_is_committed() -> None:
    """Tracked files hold no link, no address of a package index and no path of one machine."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    machine = re.compile(rb"file:///|--(extra-)?index-url|--find-links|/opt/|/wor[k]/|/roo[t]/|/home/[a-z]")
    texts = [
        path for path in paths if path.is_file() and path.suffix != ".parquet" and path != Path(__file__)
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
