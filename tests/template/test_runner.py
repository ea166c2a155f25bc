"""The runner starts what GitHub would start, with the rights that GitHub would give."""

from __future__ import annotations

import io
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearsal.client import Client
from rehearsal.forge import Forge
from rehearsal.forge.repository import Repository
from rehearsal.forge.workflows import matches
from rehearsal.runner import Run, Runner

NAME = "octocat/flights"
PERSON = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
UPLOAD = "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a"
DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"
# Notes what it is given, uploads that, and fails where the commit says so.
TRAIN = f"""
name: train
on:
  push: {{branches-ignore: [main, "queue/**"]}}
  pull_request: {{types: [opened, synchronize]}}
  workflow_dispatch:
permissions: {{}}
jobs:
  gate:
    runs-on: ubuntu-latest
    permissions: {{contents: read, pull-requests: write}}
    steps:
      - uses: {CHECKOUT}
      - env:
          TOKEN: ${{{{ github.token }}}}
          SECRET: ${{{{ secrets.SECRET }}}}
          VARIABLE: ${{{{ vars.VARIABLE }}}}
        run: |
          mkdir build
          echo "$GITHUB_EVENT_NAME $GITHUB_REF $GITHUB_SHA $GITHUB_RUN_ATTEMPT" > build/run
          git rev-parse HEAD > build/head
          echo "$SECRET $VARIABLE" > build/given
          echo "$HOME $PWD" > build/where
          env | grep "=$TOKEN" | cut -d = -f 1 > build/holders
          echo "# Report" > report.md
          status=0
          GH_HOST="${{GITHUB_SERVER_URL#*//}}" GH_ENTERPRISE_TOKEN="$TOKEN" \\
            gh api "repos/$GITHUB_REPOSITORY/issues/1/comments" -f body=Hello > build/answer || status=$?
          echo "$status" > build/status
      - uses: {UPLOAD}
        with: {{name: build, path: build/, overwrite: true}}
      - uses: {UPLOAD}
        with: {{name: report, path: report.md, overwrite: true}}
      - run: test ! -e fail
  after:
    name: ${{{{ github.event_name == 'push' && 'pushed' || 'not pushed' }}}}
    if: github.event_name == 'push'
    needs: gate
    runs-on: ubuntu-latest
    steps:
      - uses: {DOWNLOAD}
        with: {{path: all}}
      - run: test "$(cat all/report/report.md)" = "# Report" && test -f all/build/head
"""
REPORT = f"""
name: report
on:
  workflow_run: {{workflows: [train], types: [requested, completed]}}
permissions: {{}}
jobs:
  post:
    runs-on: ubuntu-latest
    permissions: {{contents: read, actions: read, pull-requests: write}}
    steps:
      - uses: {CHECKOUT}
        with: {{ref: "${{{{ github.event.workflow_run.head_sha }}}}", path: theirs, fetch-depth: 0}}
      - if: github.event.action == 'completed'
        uses: {DOWNLOAD}
        with:
          name: report
          path: found
          run-id: ${{{{ github.event.workflow_run.id }}}}
          github-token: ${{{{ github.token }}}}
      - env:
          ACTION: ${{{{ github.event.action }}}}
          CONCLUSION: ${{{{ github.event.workflow_run.conclusion }}}}
          REPO_TOKEN: ${{{{ github.token }}}}
        run: |
          mkdir -p found
          echo "$ACTION $CONCLUSION $(git -C theirs log -1 --format=%s)" >> found/report.md
          number=$(find theirs -name number -exec cat {{}} +)
          test -z "$number" || cml comment update --target="pr/$number" --publish=false --driver github \\
            --repo "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" --watermark-title='model report' found/report.md
"""


@dataclass
class Scene:
    """A repository with two workflows, and somebody who works on it."""

    forge: Forge
    repository: Repository
    runner: Runner
    work: Path

    def git(self, *words: str) -> str:
        command = ["git", *PERSON, *words]
        ended = subprocess.run(command, cwd=self.work, check=True, capture_output=True, text=True)
        return ended.stdout.strip()

    def push(self, branch: str, files: dict[str, str], remote: str = "origin", actor: str = "octocat") -> str:
        """Push a commit to a branch that begins at main."""
        self.git("checkout", "--quiet", "-B", branch, "main" if branch != "main" else "HEAD")
        for name, content in files.items():
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.work / name).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", f"Work on {branch}")
        self.git("push", "--quiet", "--force", remote, branch)
        self.forge.notice_pushes(actor)
        return self.git("rev-parse", "HEAD")

    def client(self, login: str = "octocat") -> Client:
        token = self.forge.tokens.for_person(login).value
        return Client(self.forge.addresses.repository(NAME), token, self.forge.authority)

    def open(self, head: str, login: str = "octocat") -> int:
        return int(self.client(login).post("pulls", title=head, head=head, base="main")["number"])

    def comments(self, number: int) -> list[str]:
        return [comment["body"] for comment in self.client().get(f"issues/{number}/comments")]

    def read(self, run: Run, name: str, artifact: str = "build") -> str:
        """Return a file of an artifact, as the forge gives it away."""
        artifacts = self.client().get(f"actions/runs/{run.record['id']}/artifacts")["artifacts"]
        [address] = [found["archive_download_url"] for found in artifacts if found["name"] == artifact]
        return zipfile.ZipFile(io.BytesIO(self.client().download(address))).read(name).decode().strip()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with Forge(tmp_path / "forge") as forge:
        repository = forge.create(NAME)
        runner = Runner(forge, tmp_path / "runner", {"SECRET": "hush"}, {"VARIABLE": "loud"})
        scene = Scene(forge, repository, runner, tmp_path / "work")
        scene.work.mkdir()
        scene.git("init", "--quiet", "--initial-branch", "main")
        scene.git("commit", "--quiet", "--allow-empty", "--message", "Begin")
        scene.git("remote", "add", "origin", str(repository.path))
        scene.push("main", {".github/workflows/train.yml": TRAIN, ".github/workflows/report.yml": REPORT})
        yield scene


def told(runs: list[Run]) -> list[tuple[str, str, str | None, str]]:
    return [
        (run.workflow.name, run.event.name, run.event.payload.get("action"), run.conclusion) for run in runs
    ]


def test_push(scene: Scene) -> None:
    """A push runs what listens to it, on its commit, between two pieces of news about the run."""
    assert [] == scene.runner.play()  # nothing listens to main
    sha = scene.push("better", {})
    runs = scene.runner.play()
    news = [("report", "workflow_run", action, "success") for action in ("requested", "completed")]
    assert [news[0], ("train", "push", None, "success"), news[1]] == told(runs)
    run = runs[1]
    assert (sha, f"push refs/heads/better {sha} 1") == (scene.read(run, "head"), scene.read(run, "run"))
    assert ("hush loud", "# Report") == (scene.read(run, "given"), scene.read(run, "report.md", "report"))
    checks = scene.client().get("commits/better/check-runs")["check_runs"]
    assert {"gate": "success", "pushed": "success"} == {each["name"]: each["conclusion"] for each in checks}
    assert scene.git("rev-parse", "main") == runs[0].event.checkout


def test_token_is_handed_on(scene: Scene) -> None:
    """A step has the run's token only where the workflow hands it on, as on GitHub."""
    scene.push("better", {})
    assert "TOKEN" == scene.read(scene.runner.play()[1], "holders")


def test_everything_stays_below(scene: Scene, tmp_path: Path) -> None:
    """A run's home and its checkout lie below the runner's folder."""
    scene.push("better", {})
    run = scene.runner.play()[1]
    assert [True, True] == [
        Path(path).is_relative_to(tmp_path / "runner") for path in scene.read(run, "where").split()
    ]


def test_failure(scene: Scene) -> None:
    """A job that fails makes its check red; what needs it is skipped, and the news says so."""
    scene.push("worse", {"fail": ""})
    runs = scene.runner.play()
    assert ["success", "failure", "success"] == [run.conclusion for run in runs]
    checks = scene.client().get("commits/worse/check-runs")["check_runs"]
    assert {"gate": "failure", "pushed": "skipped"} == {each["name"]: each["conclusion"] for each in checks}


def test_pull_request(scene: Scene) -> None:
    """A pull request runs on its merge commit; its checks are set on the head, its report is one comment."""
    sha = scene.push("better", {"number": "1"})
    number = scene.open("better")
    runs = [run for run in scene.runner.play() if run.event.name == "pull_request"]
    assert [("train", "pull_request", "opened", "success")] == told(runs)
    merge = scene.client().get(f"pulls/{number}")["merge_commit_sha"]
    assert f"pull_request refs/pull/{number}/merge {merge} 1" == scene.read(runs[0], "run")
    assert sha == runs[0].record["head_sha"]
    reports = [comment for comment in scene.comments(number) if "CML watermark model report" in comment]
    assert ["# Report\ncompleted success Work on better"] == [
        text.partition("\n\n")[0].strip() for text in reports
    ]


def test_fork(scene: Scene) -> None:
    """A fork's run sees neither secret nor variable, and cannot write; its report comes all the same."""
    scene.forge.fork(NAME, "stranger")
    scene.git("remote", "add", "fork", str(scene.forge.repository("stranger/flights").path))
    scene.push("theirs", {"number": "1"}, remote="fork", actor="stranger")
    scene.forge.events.clear()  # the stranger's own workflows are the stranger's affair
    number = scene.open("stranger:theirs", "stranger")
    run = next(run for run in scene.runner.play() if run.workflow.name == "train")
    assert ("stranger", "stranger/flights") == (run.record["actor"], run.record["head_repository"])
    assert ("", "1") == (scene.read(run, "given"), scene.read(run, "status"))
    assert "Resource not accessible by integration" in scene.read(run, "answer")
    [comment] = scene.comments(number)
    assert "completed success Work on theirs" in comment


def test_token_ends_with_the_run(scene: Scene) -> None:
    """A run's token opens nothing when the run is over."""
    scene.push("better", {"number": "1"})
    scene.open("better")
    run = next(run for run in scene.runner.play() if run.event.name == "pull_request")
    assert "0" == scene.read(run, "status")
    assert [] == [token for token in scene.forge.tokens._tokens.values() if token.rights is not None]


def test_rerun(scene: Scene) -> None:
    """A run that is repeated is the same run, on the same commit; what it uploads replaces the old."""
    scene.push("better", {})
    first = scene.runner.play()[1]
    scene.push("better", {"newer": ""})
    scene.runner.play()
    runs = scene.runner.rerun(first)
    assert ["report", "train", "report"] == [run.workflow.name for run in runs]
    run = runs[1]
    assert (first.record["id"], 2) == (run.record["id"], run.record["run_attempt"])
    assert f"push refs/heads/better {first.record['head_sha']} 2" == scene.read(run, "run")


def test_late_end(scene: Scene) -> None:
    """An older run may be told to have ended after a newer one."""
    scene.push("better", {"number": "1"})
    number = scene.open("better")
    push = next(event for event in scene.forge.events if event.head_branch == "better")
    scene.forge.events.clear()
    [older] = scene.runner.fire(push)
    scene.push("better", {"number": "1", "newer": ""})
    scene.runner.play()
    scene.runner.complete(older)
    assert [older.record["id"]] == [
        run.event.payload["workflow_run"]["id"] for run in scene.runner.history[-1:]
    ]
    assert [1] == [sum("CML watermark" in text for text in scene.comments(number))]


def test_dispatch(scene: Scene) -> None:
    """A workflow that somebody starts runs alone, on the branch that is named."""
    scene.push("better", {})
    scene.forge.events.clear()
    scene.client().post("actions/workflows/train.yml/dispatches", ref="better")
    run = scene.runner.play()[1]
    assert ("workflow_dispatch", "better") == (run.event.name, run.record["head_branch"])
    assert scene.read(run, "run").startswith("workflow_dispatch refs/heads/better ")


@pytest.mark.parametrize(
    ("patterns", "branch", "expected"),
    [
        (["main"], "main", True),
        (["main"], "mainly", False),
        (["release/*"], "release/1", True),
        (["release/*"], "release/1/2", False),
        (["release/**"], "release/1/2", True),
        (["**", "!main"], "main", False),
        (["**", "!main"], "better", True),
        ("v[0-9]+", "v12", True),
        (["a.b"], "axb", False),
    ],
)
def test_branch_patterns(patterns: list[str], branch: str, expected: bool) -> None:
    """Branches are filtered by GitHub's patterns."""
    assert expected == matches(patterns, branch)
