"""A stage for the workflows of a project: a forge, pull requests, and runs that end as one likes."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from rehearsal.act import Outcome, act
from rehearsal.client import Client
from rehearsal.forge import Forge, Record
from rehearsal.forge.events import workflow_run
from rehearsal.forge.merging import refresh
from rehearsal.forge.records import now
from rehearsal.forge.repository import Repository
from rehearsal.surroundings import tool

OWNER, STRANGER, BOT = "ada", "mallory", "github-actions[bot]"
RIGHTS = {"actions": "read", "contents": "read", "pull-requests": "write"}
MARK = '![](https://cml.dev/watermark.png#0123abc "CML watermark model report")'
# Notes how CML is called, and fails before or after the real thing where it is told to.
CML = """#!/bin/sh
echo "cml $*" >> "$CALLS"
case "$CML_FAILS" in before) exit 1 ;; silently) exit 0 ;; esac
"$RUNNER_HOME/bin/cml" "$@" || exit 1
case "$CML_FAILS" in after) exit 1 ;; esac
"""


def pack(**members: str | bytes) -> bytes:
    """Return an archive; ``report`` stands for its member ``report.md``."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr("report.md" if name == "report" else name, content)
    return archive.getvalue()


@dataclass
class Stage:
    """A forge with a project, and a folder for everything else."""

    forge: Forge
    repository: Repository
    work: Path
    """A clone on the default branch, from which workflows of finished runs come."""
    folder: Path
    programs: Path
    counter: Iterator[int] = field(default_factory=count)

    def git(self, *words: str) -> str:
        """Run git in the clone."""
        person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
        command = ["git", *person, *words]
        return subprocess.run(
            command, cwd=self.work, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(
        self, branch: str, owner: str = OWNER, start: str = "main", files: Mapping[str, str] | None = None
    ) -> str:
        """Push a new commit to a branch, which begins at main unless it goes on from a commit."""
        self.git("checkout", "--quiet", "--detach", start)
        for name, text in (files or {}).items():
            (self.work / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", f"Change {next(self.counter)}")
        sha = self.git("rev-parse", "HEAD")
        self.git("checkout", "--quiet", "main")
        path = self.forge.repository(self.repository.name.replace(OWNER, owner)).path
        self.git("push", "--quiet", "--force", str(path), f"{sha}:refs/heads/{branch}")
        for pull in self.repository.list("pulls"):
            refresh(self.forge, self.repository, pull)
        return sha

    def open(self, branch: str, owner: str = OWNER, base: str = "main") -> int:
        """Open a pull request."""
        client = self.client(self.forge.tokens.for_person(owner).value)
        return int(client.post("pulls", title="Better", head=f"{owner}:{branch}", base=base)["number"])

    def client(self, token: str) -> Client:
        """Return a client that speaks for the holder of a token."""
        return Client(self.forge.addresses.repository(self.repository.name), token, self.forge.authority)

    def say(self, number: int, login: str, body: str) -> Record:
        """Post a comment."""
        return self.repository.add("comments", {"issue": number, "login": login, "body": body})

    def comments(self, number: int, login: str | None = None) -> list[str]:
        """Return the texts of all comments, or of one person's."""
        records = [record for record in self.repository.list("comments") if record["issue"] == number]
        return [str(record["body"]) for record in records if login in (None, record["login"])]

    def run(self, sha: str, branch: str, owner: str = OWNER, **values: Any) -> Record:
        """Return a run of ``train``."""
        record = {
            "name": "train",
            "path": ".github/workflows/train.yml",
            "head_branch": branch,
            "head_sha": sha,
            "head_repository": self.repository.name.replace(OWNER, owner),
            "run_number": 1,
            "run_attempt": 1,
            "event": "push" if owner == OWNER else "pull_request",
            "status": "completed",
            "conclusion": "success",
            "run_started_at": now(),
            "display_title": "Better",
            "actor": owner,
        }
        return self.repository.add("runs", record | values)

    def keep(self, run: Record, archive: bytes, **values: Any) -> None:
        """Keep an archive as the artifact ``report`` of a run."""
        known = {"run": run["id"], "name": "report", "size_in_bytes": len(archive), "digest": "sha256:0"}
        record = self.repository.add("artifacts", known | values)
        self.forge.files.path("artifacts", record["id"]).write_bytes(archive)

    def report(self, run: Record, action: str = "completed", **environment: str) -> Outcome:
        """Run ``report.yml`` on news of a run."""
        event = workflow_run(self.forge, self.repository, run, action)
        return self.act("workflow_run", "report", event.payload, RIGHTS, **environment)

    def act(
        self,
        name: str,
        workflow: str,
        payload: dict[str, Any],
        rights: dict[str, str],
        *words: str,
        **environment: str,
    ) -> Outcome:
        """Run a workflow with a token that has some rights."""
        token = self.forge.tokens.for_job(self.repository.name, rights)
        folder = self.folder / str(next(self.counter))
        words += ("-W", f".github/workflows/{workflow}.yml", "--github-instance", self.forge.host)
        secret = ("-s", f"GITHUB_TOKEN={token.value}")
        runner = {
            "PATH": f"{self.programs}:{folder}/bin:{os.environ['PATH']}",
            "SSL_CERT_FILE": str(self.forge.authority),
            "CALLS": str(self.folder / "calls"),
            "RUNNER_HOME": str(folder),
        }
        return act(self.work, folder, name, *words, *secret, event=payload, environment=runner | environment)

    @property
    def path_without_cml(self) -> str:
        """Where gh is, and what acts on every machine."""
        return f"{Path(tool('gh')).parent}:/usr/bin:/bin"

    def calls(self, number: int) -> int:
        """Return how often CML was asked to comment on a pull request."""
        path = self.folder / "calls"
        return path.read_text().count(f"--target=pr/{number} ") if path.exists() else 0


def set_stage(forge: Forge, project: Path, folder: Path) -> Stage:
    """Make a project on a forge, of the workflows of a project on disk."""
    repository = forge.create(f"{OWNER}/flights")
    work, programs, runs = folder / "work", folder / "programs", folder / "runs"
    for path in (work, programs, runs):
        path.mkdir()
    (programs / "cml").write_text(CML)
    (programs / "cml").chmod(0o755)
    shutil.copytree(project, work, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
    stage = Stage(forge, repository, work, runs, programs)
    stage.git("init", "--quiet", "--initial-branch", "main")
    stage.git("remote", "add", "origin", f"{forge.addresses.server}/{repository.name}.git")
    stage.git("add", "--all")
    stage.git("commit", "--quiet", "--message", "Begin")
    stage.git("push", "--quiet", str(repository.path), "main")
    forge.notice_pushes(OWNER)
    forge.fork(repository.name, STRANGER)
    return stage
