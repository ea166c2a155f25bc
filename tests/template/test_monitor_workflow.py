"""The steps of ``monitor.yml`` hand on what mlops says; its scripts keep one issue and one pull request."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.bake import ROOT
from rehearsal.client import Client
from rehearsal.forge import Forge, git
from rehearsal.forge.repository import Repository
from rehearsal.surroundings import make_surroundings

NAME = "octocat/flights"
BOT = "github-actions[bot]"
GITHUB = ROOT / "{{cookiecutter.__project_slug}}" / ".github"
SCRIPTS = GITHUB / "scripts"
RIGHTS = dict.fromkeys(("actions", "contents", "issues", "pull-requests"), "write") | {"checks": "read"}
WORKFLOW = "name: {}\non: workflow_dispatch\njobs: {{}}\n"


@dataclass
class Desk:
    """A checkout of main on a runner, and the forge it came from."""

    forge: Forge
    repository: Repository
    checkout: Path

    def run(self, script: str, *arguments: str, fails: bool = False) -> str:
        """Run a script as a step would; return what it says, and what it says in the summary."""
        summary = self.checkout.parent / "summary"
        summary.write_text("")
        ended = subprocess.run(
            ["bash", f".github/scripts/{script}.sh", *arguments],
            cwd=self.checkout,
            env=self._surround() | {"GITHUB_STEP_SUMMARY": str(summary)},
            capture_output=True,
            text=True,
            check=False,
        )
        said = ended.stdout + ended.stderr
        assert fails == (ended.returncode != 0), said
        return said + summary.read_text()

    def client(self) -> Client:
        """Return what speaks to the forge for its owner."""
        token = self.forge.tokens.for_person("octocat").value
        return Client(self.forge.addresses.repository(NAME), token, self.forge.authority)

    def ask(self, path: str) -> Any:
        """Ask the forge, as its owner."""
        return self.client().get(path)

    def pack(self, **files: str) -> str:
        """Put files into an archive as the first job does; return its path."""
        archive = self.checkout.parent / "data.tar"
        with tarfile.open(archive, "w") as packed:
            for name, text in files.items():
                path = self.checkout.parent / "packed"
                path.write_text(text)
                packed.add(path, name)
        return str(archive)

    def propose(self, archive: str, fails: bool = False) -> str:
        """Propose what is in an archive, from a clean checkout."""
        subprocess.run(
            ["git", "checkout", "--quiet", "--detach", "origin/main"], cwd=self.checkout, check=True
        )
        subprocess.run(["git", "clean", "--quiet", "-d", "--force"], cwd=self.checkout, check=True)
        text = self.checkout.parent / "text.md"
        text.write_text("New data have come.")
        return self.run("propose_retraining", archive, str(text), fails=fails)

    def dispatched(self) -> list[tuple[str | None, str]]:
        """Return which workflows were started, and on which branch; each is told once."""
        told = [(event.workflow, event.head_branch) for event in self.forge.events]
        self.forge.events.clear()
        return [(Path(str(workflow)).name, branch) for workflow, branch in told]

    def _surround(self) -> dict[str, str]:
        token = self.forge.tokens.for_job(NAME, RIGHTS).value
        return {
            **make_surroundings(self.checkout.parent / "runner"),
            "BASE": "main",
            "GH_ENTERPRISE_TOKEN": token,
            "GITHUB_OUTPUT": os.devnull,
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_RUN_ID": "7",
            "GITHUB_SERVER_URL": self.forge.addresses.server,
            "GITHUB_SHA": str(self.repository.head("main")),
            "GIT_SSL_CAINFO": str(self.forge.authority),
            "SSL_CERT_FILE": str(self.forge.authority),
            "TOKEN": token,
        }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Forge(tmp_path / "forge") as forge:
        repository = forge.create(NAME, required_checks=["gate"])
        checkout = tmp_path / "checkout"
        shutil.copytree(SCRIPTS, checkout / ".github" / "scripts")
        for name in ("train", "deploy"):
            path = checkout / ".github" / "workflows" / f"{name}.yml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(WORKFLOW.format(name))
        (checkout / "data.lock").write_text("files: [1]\n")
        push(checkout, "main", str(repository.path), "init", "--quiet", "--initial-branch", "main")
        yield Desk(forge, repository, checkout)


def push(folder: Path, branch: str, remote: str, *first: str) -> None:
    """Commit all of a folder as a person, and push it."""
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for words in (
        first,
        ("add", "--all"),
        (*person, "commit", "--quiet", "--no-gpg-sign", "--message", "Change"),
        ("push", "--quiet", "--force", remote, f"HEAD:refs/heads/{branch}"),
        ("fetch", "--quiet", remote, "+refs/heads/*:refs/remotes/origin/*"),
    ):
        if words:
            subprocess.run(["git", *words], cwd=folder, check=True)


def run_step(folder: Path, name: str, mlops: str) -> tuple[bool, str]:
    """Run a step of the first job, with a program in the place of mlops; return its success and outputs."""
    workflow = yaml.safe_load((GITHUB / "workflows" / "monitor.yml").read_text(encoding="utf-8"))
    [script] = [step["run"] for step in workflow["jobs"]["check"]["steps"] if step["name"] == name]
    program = folder / ".venv" / "bin" / "mlops"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{mlops}\n")
    program.chmod(0o755)
    shutil.copytree(SCRIPTS, folder / ".github" / "scripts")
    output = folder / "output"
    output.touch()
    files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(folder / "summary")}
    variables = make_surroundings(folder / "runner") | files
    variables |= {"RUNNER_TEMP": str(folder), "TOKEN": "t", "GITHUB_SERVER_URL": "https://forge.example.org"}
    # The shell of GitHub's runners where a step names none.
    ended = subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=variables, check=False)
    return ended.returncode == 0, output.read_text()


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    """A checkout with a champion, a check of it, and data."""
    for name in ("champion/model.json", "build/monitoring/monitoring.md", "data.lock", "data/one more.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return tmp_path


def test_jobs_act_on_what_the_check_says(deployed: Path) -> None:
    """Later jobs read its outputs."""
    said = "alarm=false\ndue=true\nautomerge=false\n"
    assert (True, f"{said}checked=true\n") == run_step(deployed, "Check", f"printf '{said}'")


def test_no_job_acts_on_a_check_that_failed(deployed: Path) -> None:
    """Not even on what it has said before."""
    ended, said = run_step(deployed, "Check", "echo alarm=true; exit 1")
    assert (False, False) == (ended, "checked" in said)


def test_nothing_is_checked_before_the_first_deployment(deployed: Path) -> None:
    """The summary says so."""
    (deployed / "champion" / "model.json").unlink()
    assert (True, "") == run_step(deployed, "Check", "exit 1")
    assert "Nothing has been deployed yet" in (deployed / "summary").read_text()


def test_new_data_are_packed(deployed: Path) -> None:
    """The lock and the files that it takes in, whatever their names."""
    ended, _ = run_step(deployed, "Accept the new data", r"printf 'data.lock\0data/one more.csv\0'")
    assert ended
    with tarfile.open(deployed / "build" / "retraining" / "data.tar") as packed:
        assert ["data.lock", "data/one more.csv"] == packed.getnames()


def test_data_that_cannot_be_accepted_fail_the_step(deployed: Path) -> None:
    """No archive hides it."""
    assert (False, "") == run_step(deployed, "Accept the new data", "exit 1")


def test_life_of_an_alarm(desk: Desk) -> None:
    """The issue is opened once, brought up to date while the alarm lasts, and closed when it is quiet.

    Closed, it still says what was found.
    """
    text = desk.checkout / "monitoring.md"
    for said in ("`temp` has moved", "`temp` and `wind` have moved"):
        text.write_text(said)
        desk.run("tell_alarm", "monitoring.md", "true")
        [issue] = desk.ask("issues?labels=monitoring")
        assert issue["body"].startswith(f"{said}\n")
    text.write_text("All is quiet")
    for _ in range(2):
        desk.run("tell_alarm", "monitoring.md", "false")
    [issue] = desk.ask("issues?state=all")
    assert ("closed", BOT, 1) == (issue["state"], issue["user"]["login"], issue["comments"])
    assert issue["body"].startswith("`temp` and `wind` have moved\n")
    assert "/octocat/flights/actions/runs/7" in issue["body"]
    desk.run("tell_alarm", "monitoring.md", "true")
    assert ["open", "closed"] == [issue["state"] for issue in desk.ask("issues?state=all")]


def test_issue_of_somebody_else(desk: Desk) -> None:
    """What a person has written, whatever its label, is left alone."""
    (desk.checkout / "monitoring.md").write_text("All is quiet")
    theirs = {"title": "Mine", "body": "x", "login": "octocat", "labels": ["monitoring"], "state": "open"}
    record = theirs | {"state_reason": None, "closed_at": None}
    desk.repository.records.add_numbered(NAME, "issues", record)
    assert "no issue is open" in desk.run("tell_alarm", "monitoring.md", "false")
    assert "open" == desk.ask("issues/1")["state"]


def test_life_of_a_proposal(desk: Desk) -> None:
    """One pull request, judged once for each change: the same data again are no news, more data are."""
    archive = desk.pack(**{"data.lock": "files: [1, 2]\n", "data/2.csv": "x\n2\n"})
    desk.propose(archive)
    assert [("train.yml", "retrain")] == desk.dispatched()
    desk.propose(archive)
    assert [] == desk.dispatched()
    desk.propose(
        desk.pack(**{"data.lock": "files: [1, 2, 3]\n", "data/2.csv": "x\n2\n", "data/3.csv": "x\n3\n"})
    )
    assert [("train.yml", "retrain")] == desk.dispatched()
    [pull] = desk.ask("pulls?state=all")
    assert (BOT, "New data have come.") == (pull["user"]["login"], pull["body"])
    files = [file["filename"] for file in desk.ask(f"pulls/{pull['number']}/files")]
    assert ["data.lock", "data/2.csv", "data/3.csv"] == sorted(files)


def test_proposal_follows_main(desk: Desk) -> None:
    """When main has moved on, the same data are proposed, and judged, on top of it."""
    archive = desk.pack(**{"data.lock": "files: [1, 2]\n"})
    desk.propose(archive)
    desk.dispatched()
    subprocess.run(["git", "checkout", "--quiet", "--detach", "origin/main"], cwd=desk.checkout, check=True)
    (desk.checkout / "README.md").write_text("More\n")
    push(desk.checkout, "main", str(desk.repository.path))
    desk.propose(archive)
    assert [("train.yml", "retrain")] == desk.dispatched()
    parent = git.git(desk.repository.path, "rev-parse", "retrain^").strip()
    assert desk.repository.head("main") == parent


@pytest.mark.parametrize(
    "name", [".github/workflows/train.yml", "src/evil.py", ".git", "data.lock/../../x.py"]
)
def test_more_than_data(desk: Desk, name: str) -> None:
    """What else the job that reads data may have been made to pack is not proposed, nor unpacked."""
    before = sorted(desk.checkout.rglob("*.py"))
    said = desk.propose(desk.pack(**{"data.lock": "files: []\n", name: "evil"}), fails=True)
    assert "holds something else; nothing is proposed" in said
    assert (None, []) == (desk.repository.head("retrain"), desk.dispatched())
    assert before == sorted(desk.checkout.rglob("*.py"))


def test_links_are_no_data(desk: Desk) -> None:
    """A link could lead anywhere."""
    archive = desk.checkout.parent / "data.tar"
    with tarfile.open(archive, "w") as packed:
        link = tarfile.TarInfo("data.csv")
        link.type, link.linkname = tarfile.SYMTYPE, ".github"
        packed.addfile(link)
    assert "holds something else" in desk.propose(str(archive), fails=True)


def test_what_people_push_is_theirs(desk: Desk) -> None:
    """A commit of a person on the branch is not pushed away."""
    desk.propose(desk.pack(**{"data.lock": "files: [1, 2]\n"}))
    desk.dispatched()
    (desk.checkout / "params.yaml").write_text("folds: 5\n")
    push(desk.checkout, "retrain", str(desk.repository.path))
    theirs = desk.repository.head("retrain")
    said = desk.propose(desk.pack(**{"data.lock": "files: [1, 2, 3]\n"}))
    assert "has a commit of Ada on top, and is left as it is" in said
    assert (theirs, []) == (desk.repository.head("retrain"), desk.dispatched())


def test_what_people_close_stays_closed(desk: Desk) -> None:
    """A proposal that somebody turned down is not made again, until there is something new to propose."""
    archive = desk.pack(**{"data.lock": "files: [1, 2]\n"})
    desk.propose(archive)
    [pull] = desk.ask("pulls")
    desk.client().patch(f"pulls/{pull['number']}", state="closed")
    desk.dispatched()
    assert "was closed" in desk.propose(archive)
    assert ([], []) == (desk.ask("pulls"), desk.dispatched())
    desk.propose(desk.pack(**{"data.lock": "files: [1, 2, 3]\n"}))
    assert [1, 1] == [len(desk.ask("pulls")), len(desk.dispatched())]


def test_fresh_repository(desk: Desk) -> None:
    """Where workflows may not open pull requests, the branch is there, is judged, and a link opens one."""
    desk.repository.change_itself(workflows_open_pulls=False)
    said = desk.propose(desk.pack(**{"data.lock": "files: [1, 2]\n"}))
    assert "not permitted to create" in said
    assert f"{NAME}/compare/main...retrain?expand=1" in said
    assert [("train.yml", "retrain")] == desk.dispatched()
    assert [] == desk.ask("pulls?state=all")


@pytest.mark.parametrize(("conclusion", "merged"), [(None, False), ("failure", False), ("success", True)])
def test_automatic_merge(desk: Desk, conclusion: str | None, merged: bool) -> None:
    """Only what has passed the required check is merged; then its deployment is started."""
    desk.propose(desk.pack(**{"data.lock": "files: [1, 2]\n"}))
    desk.dispatched()
    if conclusion:
        add_check(desk, conclusion)
    desk.run("merge_retraining")
    [pull] = desk.ask("pulls?state=all")
    assert merged == (pull["merged_at"] is not None)
    assert ([("deploy.yml", "main")] if merged else []) == desk.dispatched()


def test_people_merge_their_own(desk: Desk) -> None:
    """A person's pull request from a branch of that name is never merged by itself."""
    (desk.checkout / "data.lock").write_text("files: []\n")
    push(desk.checkout, "retrain", str(desk.repository.path))
    desk.client().post("pulls", title="Mine", head="retrain", base="main")
    add_check(desk, "success")
    assert "No retraining pull request is open" in desk.run("merge_retraining")


def add_check(desk: Desk, conclusion: str) -> None:
    """Let the required check of the branch have ended."""
    times = {"started_at": "2026-01-01T00:00:00Z", "completed_at": "2026-01-01T00:01:00Z"}
    head = desk.repository.head("retrain")
    check = {"name": "gate", "run": 1, "head_sha": head, "status": "completed", "conclusion": conclusion}
    desk.repository.add("checks", check | times)
