"""Where scenes are played: a project on the forge, its people, and the runner."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bake import clean_environment
from .client import Client, ClientError
from .environments import find_environment
from .forge import Forge, git
from .forge.repository import Repository
from .markdown import find_heading
from .runner import Run, Runner
from .surroundings import make_surroundings
from .timeline import BAD, GOOD, Timeline

OWNER, STRANGER, BOT = "octocat", "stranger", "github-actions[bot]"
TRAIN = ".github/workflows/train.yml"
DEPLOY = ".github/workflows/deploy.yml"
ROLLBACK = ".github/workflows/rollback.yml"
MONITOR = ".github/workflows/monitor.yml"
# Says nothing about models, and asks the network for known flaws.
CHECKS = ".github/workflows/checks.yml"
# What a project makes by itself, and a clone does not have.
MADE = {".git", ".venv", "build", "champion", "base", "mlflow.db", "mlartifacts"}
# Enough to see that tests run. A bake runs all.
FEW_TESTS = "tests/test_schema.py"


@dataclass
class Stage:
    """A project, pushed to the forge, and all that is needed to work on it."""

    forge: Forge
    repository: Repository
    runner: Runner
    timeline: Timeline
    folder: Path

    @property
    def project(self) -> Path:
        """The owner's clone, where edits are made."""
        return self.folder / "project"

    def find_python(self) -> Path:
        """Return the Python of the environment that the project's runs use, made if it is missing."""
        variables = make_surroundings(self.runner.folder / "owner")
        return find_environment(self.project, self.runner.environments, variables) / "bin" / "python"

    def client(self, login: str = OWNER) -> Client:
        """Return what speaks to the forge for a person."""
        token = self.forge.tokens.for_person(login).value
        return Client(self.forge.addresses.repository(self.repository.name), token, self.forge.authority)

    def git(self, *words: str, who: str = OWNER) -> str:
        """Run Git in the project, as a person."""
        names = {f"GIT_{role}_NAME": who for role in ("AUTHOR", "COMMITTER")}
        addresses = {f"GIT_{role}_EMAIL": f"{who}@localhost" for role in ("AUTHOR", "COMMITTER")}
        surroundings = clean_environment() | names | addresses | {"GIT_CONFIG_NOSYSTEM": "1"}
        surroundings |= {"HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        command = ["git", *words]
        done = subprocess.run(
            command, cwd=self.project, env=surroundings, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def begin(self, branch: str) -> None:
        """Start a branch from what main is now."""
        self.git("fetch", "--quiet", "origin")
        self.git("checkout", "--quiet", "-B", branch, "origin/main")

    def push(self, branch: str, subject: str, remote: str = "origin", who: str = OWNER) -> None:
        """Commit what was edited and push it."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject, who=who)
        self.git("push", "--quiet", "--force", remote, f"HEAD:refs/heads/{branch}")
        self.forge.notice_pushes(who)

    def fork(self) -> None:
        """Let the stranger have a copy, to which the project's clone can push."""
        if not any(repository.owner == STRANGER for repository in self.forge.repositories()):
            copy = self.forge.fork(self.repository.name, STRANGER)
            self.git("remote", "add", STRANGER, str(copy.path))

    def open(self, title: str, body: str, head: str, who: str = OWNER) -> int:
        """Open a pull request and return its number."""
        opened = self.client(who).post("pulls", title=title, body=body, head=head, base="main")
        number = int(opened["number"])
        self.timeline.tell(f"{who} opens #{number}: {title}")
        return number

    def propose(self, branch: str, title: str, body: str) -> int:
        """Push what was edited, open a pull request for it, and wait for its report; return its number.

        On GitHub the push is judged, too, at the same time and with the same outcome.
        """
        self.push(branch, title)
        self.forge.events.clear()
        number = self.open(title, body, branch)
        self.play()
        return number

    def play(self) -> list[Run]:
        """Run what has been waiting, and say how each training ended."""
        before = len(self.runner.history)
        while self.forge.events:
            for run in self.runner.fire(self.forge.events.popleft()):
                self._tell(run)
                self.runner.complete(run)
        return self.runner.history[before:]

    def dispatch(self, workflow: str, **inputs: str) -> list[Run]:
        """Start a workflow on main by hand, as its owner; return all runs that came of it."""
        self.client().post(f"actions/workflows/{workflow}/dispatches", ref="main", inputs=inputs)
        return self.play()

    def _tell(self, run: Run) -> None:
        if run.workflow.path not in (TRAIN, DEPLOY, ROLLBACK, MONITOR) or run.conclusion == "skipped":
            return
        what = {"push": " for the push: gate", "pull_request": " for the pull request: gate"}
        what["workflow_dispatch"] = " for the retraining: gate"
        about = what.get(run.event.name, "") if run.workflow.path == TRAIN else ""
        mark, at = GOOD, ""
        if run.conclusion != "success":
            failed = (step for step, result in run.outcome.steps.items() if result == "failure")
            mark, at = BAD, f" at {', '.join(failed)}"
        self.timeline.tell(f"{Path(run.workflow.path).name}{about} is {run.conclusion}{at}", mark)

    def read_production(self) -> int | None:
        """Return the version that runs in production; None before the first deployment."""
        if self.repository.head("production") is None:
            return None
        model = json.loads(git.git(self.repository.path, "show", "production:model.json"))
        return int(model["version"])

    def read_reports(self, number: int) -> list[str]:
        """Return the reports among the comments of a pull request; there should be one."""
        comments = self.client().get(f"issues/{number}/comments?per_page=100")
        return [
            comment["body"]
            for comment in comments
            if comment["user"]["login"] == BOT and "CML watermark" in comment["body"]
        ]

    def read_verdict(self, number: int) -> str:
        """Return the headline of the report on a pull request."""
        reports = self.read_reports(number)
        return find_heading(reports[-1]) if reports else ""

    def find_check(self, number: int) -> str:
        """Return how the required check ended on the newest commit of a pull request."""
        sha = self.client().get(f"pulls/{number}")["head"]["sha"]
        checks = self.client().get(f"commits/{sha}/check-runs?check_name=gate")["check_runs"]
        return str(checks[0]["conclusion"]) if checks else "missing"

    def merge(self, number: int) -> str | None:
        """Merge a pull request; return why not, if the forge refuses."""
        try:
            self.client().put(f"pulls/{number}/merge")
        except ClientError as error:
            return error.message
        return None

    def download(self, run: Run, name: str) -> bytes:
        """Return the archive of an artifact."""
        artifacts: list[dict[str, Any]] = self.client().get(
            f"actions/runs/{run.record['id']}/artifacts?name={name}"
        )["artifacts"]
        return self.client().download(artifacts[0]["archive_download_url"])


def set_stage(forge: Forge, source: Path, folder: Path, environments: Path, timeline: Timeline) -> Stage:
    """Make a repository on a forge for a copy of a project, without pushing it yet."""
    repository = forge.create(f"{OWNER}/{source.name}", required_checks=["gate"])
    stage = Stage(forge, repository, make_runner(forge, source, folder, environments), timeline, folder)
    shutil.copytree(source, stage.project, ignore=_leave_out, symlinks=True)
    stage.git("init", "--quiet", "--initial-branch", "main")
    stage.git("remote", "add", "origin", str(repository.path))
    return stage


def make_runner(forge: Forge, project: Path, folder: Path, environments: Path) -> Runner:
    """Make a runner for all workflows of a project that say something about models."""
    return Runner(
        forge,
        folder / "runner",
        # An Enterprise Server, which the forge looks like, would attest nothing.
        variables={"ATTEST": "true"},
        machine=_choose_tests(project),
        ignored=[CHECKS],
        kept=environments,
    )


def _leave_out(folder: str, names: list[str]) -> set[str]:
    made = MADE if (Path(folder) / "params.yaml").is_file() else set()
    return {name for name in names if name in made or name.endswith(("_cache", "__pycache__"))}


def _choose_tests(project: Path) -> dict[str, str]:
    return {"PYTEST_ADDOPTS": FEW_TESTS} if (project / FEW_TESTS).is_file() else {}
