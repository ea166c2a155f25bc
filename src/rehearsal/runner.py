"""Plays GitHub Actions: runs the workflows that listen to what happens on the forge."""

from __future__ import annotations

import os
import shutil
import ssl
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from .act import Outcome, act
from .environments import lend_environment
from .forge import Forge, events, git
from .forge.events import Event
from .forge.records import Record, now
from .forge.repository import Repository
from .forge.tokens import Token
from .forge.workflows import Workflow, list_workflows, listens
from .surroundings import make_surroundings


@dataclass(frozen=True)
class Run:
    """A workflow run that has ended."""

    event: Event
    workflow: Workflow
    record: Record
    """What the forge remembers of it."""
    outcome: Outcome

    @property
    def conclusion(self) -> str:
        """``success``, ``failure`` or ``skipped``."""
        return str(self.record["conclusion"])


@dataclass
class Runner:
    """Runs workflows, one after the other, until nothing more happens.

    Parameters
    ----------
    forge
        Whose events are played.
    folder
        Where runs leave everything they write.
    secrets, variables
        What is set on the forge for the repository and its environments; a fork's runs see neither.
    machine
        What the environment of the runner's machine holds beside the usual.
    ignored
        Workflows, by their paths, that are not run.
    kept
        Where environments are kept for the next run; by default below ``folder``.
    """

    forge: Forge
    folder: Path
    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    ignored: Collection[str] = ()
    kept: Path | None = None
    history: list[Run] = field(default_factory=list)
    """All runs, in the order of their ends."""

    @property
    def environments(self) -> Path:
        """Where environments are kept for the next run."""
        return self.kept or self.folder / "environments"

    def play(self) -> list[Run]:
        """Run all that has been waiting, and all that follows from it; return the runs in order."""
        before = len(self.history)
        while self.forge.events:
            for run in self.fire(self.forge.events.popleft()):
                self.complete(run)
        return self.history[before:]

    def fire(self, event: Event) -> list[Run]:
        """Run the workflows that listen to an event, each announced as requested.

        That a run has completed is not told: ``complete`` does that, at once or much later.
        """
        runs = []
        repository = self.forge.repository(event.repository)
        for workflow in list_workflows(repository.path, event.checkout):
            if workflow.path not in self.ignored and starts(workflow, event):
                record = self._register(repository, event, workflow)
                self._tell(repository, record, "requested")
                runs.append(self._execute(repository, event, workflow, record))
        return runs

    def complete(self, run: Run) -> list[Run]:
        """Tell that a run has completed, and run what listens to that."""
        return self._tell(self.forge.repository(run.event.repository), run.record, "completed")

    def rerun(self, run: Run) -> list[Run]:
        """Run the same once more, as the next attempt of the same run; return it and all around it."""
        before = len(self.history)
        repository = self.forge.repository(run.event.repository)
        attempt = repository.get("runs", run.record["id"])["run_attempt"] + 1
        started = {"status": "in_progress", "conclusion": None, "run_started_at": now()}
        record = repository.change("runs", run.record["id"], run_attempt=attempt, **started)
        self._tell(repository, record, "requested")
        self.complete(self._execute(repository, run.event, run.workflow, record))
        return self.history[before:]

    def _tell(self, repository: Repository, record: Record, action: str) -> list[Run]:
        """Run what listens to news of a run; of such runs no news is told, lest it never ends."""
        if record["event"] == "workflow_run":
            return []
        return self.fire(events.workflow_run(self.forge, repository, record, action))

    def _register(self, repository: Repository, event: Event, workflow: Workflow) -> Record:
        earlier = [run for run in repository.list("runs") if run["path"] == workflow.path]
        commit = git.show_commit(repository.path, event.head_sha)
        record: Record = {
            "path": workflow.path,
            "name": workflow.name,
            "run_number": len(earlier) + 1,
            "run_attempt": 1,
            "event": event.name,
            "head_sha": event.head_sha,
            "head_branch": event.head_branch,
            "head_repository": event.head_repository,
            "actor": event.actor,
            "display_title": commit.message.splitlines()[0],
            "status": "in_progress",
            "conclusion": None,
            "run_started_at": now(),
        }
        return repository.add("runs", record)

    def _execute(self, repository: Repository, event: Event, workflow: Workflow, record: Record) -> Run:
        folder = self.folder / "runs" / f"{record['id']}-{record['run_attempt']}"
        token = self.forge.tokens.for_job(repository.name, _limit(workflow, event))
        try:
            outcome = self._act(repository, event, workflow, record, folder, token)
        finally:
            self.forge.tokens.withdraw(token)
            self.forge.overlook_pushes()
        (folder / "log.txt").write_text(outcome.log, encoding="utf-8")
        (folder / "summary.md").write_text(outcome.summary, encoding="utf-8")
        self._keep_artifacts(repository, record, outcome.artifacts)
        self._set_checks(repository, record, outcome)
        ended = {"status": "completed", "conclusion": _conclude(outcome)}
        run = Run(event, workflow, repository.change("runs", record["id"], **ended), outcome)
        self.history.append(run)
        return run

    def _act(
        self,
        repository: Repository,
        event: Event,
        workflow: Workflow,
        record: Record,
        folder: Path,
        token: Token,
    ) -> Outcome:
        variables = {**self._surround(folder), **self.machine}
        checkout = folder / "checkout"
        self._check_out(repository, event, checkout)
        lend_environment(checkout, self.environments, variables)
        arguments = [event.name, "-W", workflow.path, "--github-instance", self.forge.host]
        # Not as a variable: every step would have it.
        arguments += ["--actor", event.actor, "-s", f"GITHUB_TOKEN={token.value}"]
        for name, value in self._name_run(record).items():
            arguments += ["--env", f"{name}={value}"]
        if not event.from_fork:
            arguments += [word for pair in self.secrets.items() for word in ("-s", "=".join(pair))]
            arguments += [word for pair in self.variables.items() for word in ("--var", "=".join(pair))]
        outcome = act(checkout, folder, *arguments, event=event.payload, environment=variables)
        shutil.rmtree(checkout)
        shutil.rmtree(folder / "runner", ignore_errors=True)
        return outcome

    def _surround(self, folder: Path) -> dict[str, str]:
        """Return the variables of a machine that trusts the forge."""
        variables = make_surroundings(folder)
        trusted = folder / "trusted.pem"
        trusted.write_bytes(self.forge.authority.read_bytes() + _read_authorities())
        return {
            **variables,
            "REMOTES": str(self.forge.folder / "remotes"),
            "GIT_SSL_CAINFO": str(trusted),
            "SSL_CERT_FILE": str(trusted),
            "NODE_EXTRA_CA_CERTS": str(trusted),
        }

    def _check_out(self, repository: Repository, event: Event, folder: Path) -> None:
        """Clone a repository at an event's commit, under the name that the forge gives it."""
        folder.mkdir(parents=True)
        git.git(folder, "init", "--quiet", "--initial-branch", "main")
        git.git(folder, "remote", "add", "origin", f"{self.forge.addresses.server}/{repository.name}.git")
        # The reference is needed: act copies no empty folders, and without refs/ it is no repository.
        what = f"+{event.checkout}:refs/remotes/origin/{event.head_branch}"
        git.git(folder, "fetch", "--quiet", "--no-tags", "--depth=1", f"file://{repository.path}", what)
        git.git(folder, "checkout", "--quiet", "--detach", event.checkout)

    @staticmethod
    def _name_run(record: Record) -> dict[str, str]:
        return {
            "GITHUB_RUN_ID": str(record["id"]),
            "GITHUB_RUN_NUMBER": str(record["run_number"]),
            "GITHUB_RUN_ATTEMPT": str(record["run_attempt"]),
        }

    def _keep_artifacts(self, repository: Repository, record: Record, folder: Path) -> None:
        """Put what a run uploaded where the forge offers it; a second attempt's goes before."""
        for path in sorted(folder.iterdir()):
            for old in repository.list("artifacts"):
                if (old["run"], old["name"]) == (record["id"], path.name):
                    repository.remove("artifacts", old["id"])
            artifact = repository.add("artifacts", {"run": record["id"], "name": path.name})
            archive = self.forge.files.path("artifacts", artifact["id"])
            _pack(path, archive)
            facts = {"size_in_bytes": archive.stat().st_size, "digest": _digest(archive)}
            repository.change("artifacts", artifact["id"], **facts)

    def _set_checks(self, repository: Repository, record: Record, outcome: Outcome) -> None:
        """Set a check for each job on the commit that the run is about."""
        for name, conclusion in outcome.checks.items():
            check = {"name": name, "run": record["id"], "head_sha": record["head_sha"]}
            times = {"started_at": record["run_started_at"], "completed_at": now()}
            repository.add("checks", {**check, **times, "status": "completed", "conclusion": conclusion})


def starts(workflow: Workflow, event: Event) -> bool:
    """Return whether an event starts a workflow."""
    meant = event.workflow in (None, workflow.path)
    return meant and listens(workflow, event.name, event.payload)


def _limit(workflow: Workflow, event: Event) -> dict[str, str]:
    """Return the rights of a run's token: for a fork's pull request, none to write."""
    if event.from_fork:
        return dict.fromkeys(workflow.rights, "read")
    return workflow.rights


def _conclude(outcome: Outcome) -> str:
    results = set(outcome.checks.values())
    if "failure" in results:
        return "failure"
    return "success" if "success" in results else "skipped"


def _pack(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder).as_posix())


def _digest(path: Path) -> str:
    return f"sha256:{sha256(path.read_bytes()).hexdigest()}"


def _read_authorities() -> bytes:
    """Return whom this machine trusts: packages may come from elsewhere."""
    path = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    return Path(path).read_bytes() if path and Path(path).is_file() else b""
