"""Git speaks to the forge over HTTPS; it pushes only with a token that may write."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearsal.forge import Forge

NAME = "octocat/flights"
PERSON = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")


@dataclass
class Scene:
    """A repository on the forge, and a clone of it."""

    forge: Forge
    work: Path

    def git(self, *words: str, token: str = "") -> subprocess.CompletedProcess[str]:
        """Run Git with a token, as a workflow does: in a header, and nowhere on the disk."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        said = {
            "GIT_SSL_CAINFO": str(self.forge.authority),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
        }
        if token:
            basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
            said |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{self.forge.addresses.server}/.extraheader",
                "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
            }
        command = ["git", *PERSON, *words]
        return subprocess.run(command, cwd=self.work, env=kept | said, capture_output=True, text=True)

    def push(self, token: str = "") -> subprocess.CompletedProcess[str]:
        return self.git("push", "--quiet", "origin", "HEAD:refs/heads/production", token=token)

    def job(self, **rights: str) -> str:
        """Return the token of a job that has some rights."""
        return self.forge.tokens.for_job(NAME, rights).value

    @property
    def production(self) -> str | None:
        return self.forge.repository(NAME).head("production")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with Forge(tmp_path / "forge") as forge:
        repository = forge.create(NAME)
        work = tmp_path / "work"
        work.mkdir()
        scene = Scene(forge, work)
        scene.git("init", "--quiet", "--initial-branch", "main")
        (work / "file").write_text("content")
        scene.git("add", "--all")
        scene.git("commit", "--quiet", "--message", "Begin")
        scene.git("push", "--quiet", str(repository.path), "main")
        scene.git("remote", "add", "origin", f"{forge.addresses.server}/{NAME}.git")
        yield scene


def test_push_and_fetch(scene: Scene) -> None:
    """A job that may write pushes; everybody fetches what it pushed."""
    pushed = scene.push(scene.job(contents="write"))
    assert (0, "") == (pushed.returncode, pushed.stderr)
    assert 0 == scene.git("fetch", "--quiet", "origin", "production").returncode
    assert scene.production == scene.git("rev-parse", "FETCH_HEAD").stdout.strip()


@pytest.mark.parametrize("rights", [{"contents": "read"}, {"pull-requests": "write"}, {}])
def test_job_without_the_right(scene: Scene, rights: dict[str, str]) -> None:
    """A job whose workflow does not ask for the right to write pushes nothing."""
    refused = scene.push(scene.job(**rights))
    assert (128, None) == (refused.returncode, scene.production)
    assert "403" in refused.stderr


@pytest.mark.parametrize("token", ["", "ghs_made_up"])
def test_nobody_pushes(scene: Scene, token: str) -> None:
    """Without a token, or with one that the forge never gave, nothing is pushed."""
    refused = scene.push(token)
    assert (128, None) == (refused.returncode, scene.production)


def test_token_of_another_repository(scene: Scene) -> None:
    """A job's token holds for its own repository alone."""
    other = scene.forge.create("octocat/other")
    token = scene.forge.tokens.for_job(other.name, {"contents": "write"}).value
    assert 128 == scene.push(token).returncode
    assert scene.production is None


def test_unknown_repository(scene: Scene) -> None:
    """A repository that is not there cannot be read."""
    address = f"{scene.forge.addresses.server}/octocat/nothing.git"
    assert "not found" in scene.git("ls-remote", address).stderr
