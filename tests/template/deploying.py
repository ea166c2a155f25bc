"""A deployment that can be killed at any of its calls: the real steps of ``deploy.yml``, one by one."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from baking import Lend
from rehearsal.forge import Forge, git
from rehearsal.forge.repository import Repository
from rehearsal.surroundings import make_surroundings, tool

# What the steps between have built and pushed.
IMAGE, DIGEST = "registry.example.org/me/model", "sha256:" + 64 * "a"
# Counts the calls of a program, and dies at one of them, by its number or its verb: before the real
# thing, or after.
DYING = """#!/bin/sh
count=$(($(cat "$CALLS" 2> /dev/null || echo 0) + 1))
echo "$count" > "$CALLS"
case "$DIES" in "$count:before" | "$1:before") exit 137 ;; esac
"$REAL" "$@" || exit $?
case "$DIES" in "$count:after" | "$1:after") exit 137 ;; esac
"""


@dataclass
class Deployment:
    """A workspace of the job ``deploy``, with what a run on main has built."""

    forge: Forge
    repository: Repository
    workspace: Path
    project: Path

    def prepare(self, lend: Lend, build: io.BytesIO) -> None:
        """Lay out what the steps before have made."""
        self.workspace.mkdir(parents=True)
        zipfile.ZipFile(build).extractall(self.workspace / "build")
        for path in self.project.iterdir():
            if path.name not in (".git", "build", "champion"):
                (self.workspace / path.name).symlink_to(path)
        lend(self.workspace)
        address = f"{self.forge.addresses.server}/{self.repository.name}.git"
        git.git(self.workspace, "init", "--quiet", "--initial-branch", "main")
        git.git(self.workspace, "remote", "add", "origin", address)
        self.run("Package")

    def run(self, step: str, program: str = "", dies: str = "", **variables: str) -> bool:
        """Run a step as the runner would; return whether it came to its end."""
        workflow = yaml.safe_load((self.project / ".github/workflows/deploy.yml").read_text())
        [script] = [one["run"] for one in workflow["jobs"]["deploy"]["steps"] if one["name"] == step]
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        surroundings = self._surround() | variables
        if program:
            surroundings |= self._let_die(program, dies, surroundings["PATH"])
        ended = subprocess.run(
            command, cwd=self.workspace, env=surroundings, capture_output=True, text=True, check=False
        )
        assert dies or ended.returncode == 0, ended.stdout + ended.stderr
        return ended.returncode == 0

    def count_calls(self) -> int:
        """Return how often the program that may die was called in the last step."""
        return int((self.workspace.parent / "calls").read_text())

    def plan(self) -> str:
        """Return the version that is planned; nothing where there is nothing to deploy."""
        output = self.workspace.parent / "output"
        output.write_text("")
        self.run("Plan", GITHUB_OUTPUT=str(output))
        return output.read_text().strip().removeprefix("version=")

    def read_production(self) -> Any:
        """Return what runs, and the commit that says so."""
        head = self.repository.head("production")
        return json.loads(git.git(self.repository.path, "show", f"{head}:model.json")), head

    def list_versions(self) -> list[int]:
        """Return the versions that ran, the newest first."""
        commits = git.git(self.repository.path, "rev-list", "--first-parent", "production").split()
        models = [git.git(self.repository.path, "show", f"{sha}:model.json") for sha in commits]
        return [json.loads(model)["version"] for model in models]

    def list_releases(self, version: str) -> list[tuple[bool, list[str]]]:
        """Return of each release of a version whether it is a draft, and its assets."""
        assets = self.repository.list("assets")
        return [
            (release["draft"], [asset["name"] for asset in assets if asset["release"] == release["id"]])
            for release in self.repository.list("releases")
            if release["tag_name"] == f"model-v{version}"
        ]

    def _surround(self) -> dict[str, str]:
        token = self.forge.tokens.for_job(self.repository.name, {"contents": "write"}).value
        return {
            **make_surroundings(self.workspace.parent / "runner"),
            "DIGEST": DIGEST,
            "GH_ENTERPRISE_TOKEN": token,
            "GITHUB_REPOSITORY": self.repository.name,
            "GITHUB_SERVER_URL": self.forge.addresses.server,
            "GITHUB_SHA": str(self.repository.head("main")),
            "GIT_SSL_CAINFO": str(self.forge.authority),
            "NAME": IMAGE,
            "SSL_CERT_FILE": str(self.forge.authority),
            "TOKEN": token,
        }

    def _let_die(self, program: str, dies: str, path: str) -> dict[str, str]:
        programs, calls = self.workspace.parent / "programs", self.workspace.parent / "calls"
        programs.mkdir(exist_ok=True)
        calls.unlink(missing_ok=True)
        (programs / program).write_text(DYING)
        (programs / program).chmod(0o755)
        real = tool("gh") if program == "gh" else str(shutil.which(program))
        return {"CALLS": str(calls), "DIES": dies, "REAL": real, "PATH": f"{programs}{os.pathsep}{path}"}


def find_build(repository: Repository, forge: Forge, branch: str) -> io.BytesIO:
    """Return the archive that the newest run of a branch has uploaded."""
    runs = {run["id"] for run in repository.list("runs") if run["head_branch"] == branch}
    builds = [one for one in repository.list("artifacts") if one["run"] in runs and one["name"] == "build"]
    return io.BytesIO(forge.files.path("artifacts", builds[-1]["id"]).read_bytes())
