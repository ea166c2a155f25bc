"""Workflow files of a commit: what they listen to, and which rights their jobs ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import git
from .tokens import SCOPES

FOLDER = ".github/workflows"
# What starts a workflow that names an event without types.
TYPES = {
    "pull_request": ["opened", "synchronize", "reopened"],
    "workflow_run": ["requested", "in_progress", "completed"],
}
# What a job may do where nobody says anything, in a repository with GitHub's own settings.
DEFAULT = {"contents": "read", "packages": "read"}


@dataclass(frozen=True)
class Workflow:
    """A workflow file."""

    path: str
    content: dict[str, Any]

    @property
    def name(self) -> str:
        """What GitHub calls it."""
        return str(self.content.get("name", self.path))

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """Its jobs, by their ids."""
        jobs: dict[str, dict[str, Any]] = self.content.get("jobs", {})
        return jobs

    @property
    def events(self) -> dict[str, dict[str, Any]]:
        """What it listens to, with the filters of each event."""
        said = self.content.get("on", {})
        named = {said: None} if isinstance(said, str) else dict.fromkeys(said) | dict(_items(said))
        return {event: filters or {} for event, filters in named.items()}

    @property
    def rights(self) -> dict[str, str]:
        """What its jobs may do; they share one token here, which has the rights of all of them."""
        rights: dict[str, str] = {}
        for job in self.jobs.values():
            for scope, level in _rights(job.get("permissions", self.content.get("permissions"))).items():
                if rights.get(scope) != "write":
                    rights[scope] = level
        return {scope: level for scope, level in rights.items() if level != "none"}


def _items(said: Any) -> list[tuple[str, Any]]:
    return list(said.items()) if isinstance(said, dict) else []


def _rights(said: Any) -> dict[str, str]:
    if said is None:
        return DEFAULT
    if isinstance(said, str):  # read-all, write-all
        return dict.fromkeys(SCOPES, said.removesuffix("-all"))
    return dict(said)


class _Loader(yaml.SafeLoader):
    """Reads ``on`` as a word; YAML 1.1 takes it for a truth value."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def read_workflow(repository: Path, commit: str, path: str) -> Workflow:
    """Return a workflow as it is in a commit.

    Raises
    ------
    GitError
        If it is not there.
    """
    content = git.read(repository, "cat-file", "blob", f"{commit}:{path}")
    return Workflow(path, yaml.load(content, Loader=_Loader))


def list_workflows(repository: Path, commit: str) -> list[Workflow]:
    """Return all workflows of a commit."""
    entries = git.list_folder(repository, commit, FOLDER)
    paths = [entry.path for entry in entries if entry.path.endswith((".yml", ".yaml"))]
    return [read_workflow(repository, commit, path) for path in paths]


def listens(workflow: Workflow, event: str, payload: dict[str, Any]) -> bool:
    """Return whether an event starts a workflow."""
    filters = workflow.events.get(event)
    if filters is None:
        return False
    types = filters.get("types", TYPES.get(event))
    if types is not None and payload.get("action") not in ([types] if isinstance(types, str) else types):
        return False
    if event == "workflow_run" and payload["workflow_run"]["name"] not in filters.get("workflows", []):
        return False
    return _accepts(filters, _branch(event, payload))


def _branch(event: str, payload: dict[str, Any]) -> str | None:
    """Return the branch that an event's filters look at."""
    if event == "push":
        return str(payload["ref"]).removeprefix("refs/heads/")
    if event == "pull_request":
        return str(payload["pull_request"]["base"]["ref"])
    if event == "workflow_run":
        return str(payload["workflow_run"]["head_branch"])
    return None


def _accepts(filters: dict[str, Any], branch: str | None) -> bool:
    if branch is None:
        return True
    if "branches" in filters:
        return matches(filters["branches"], branch)
    if "tags" in filters:
        return False
    return not matches(filters.get("branches-ignore", []), branch)


def matches(patterns: str | list[str], branch: str) -> bool:
    """Return whether a branch is among those that patterns name; the last pattern that fits decides."""
    found = False
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        if re.fullmatch(_translate(pattern.removeprefix("!")), branch):
            found = not pattern.startswith("!")
    return found


def _translate(pattern: str) -> str:
    """Write one of GitHub's branch patterns as a regular expression."""
    known = {"**": ".*", "*": "[^/]*", "?": "?", "+": "+"}
    parts = re.findall(r"\*\*|\*|\?|\+|\[[^]]*\]|[^*?+\[]+", pattern)
    return "".join(known.get(part, part if part.startswith("[") else re.escape(part)) for part in parts)
