"""The report reaches the pull request as one comment, whatever happens, and nothing else does."""

from __future__ import annotations

import io
import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.bake import ROOT
from rehearsal.client import ClientError
from rehearsal.forge import Forge
from rehearsal.forge.events import pull_request
from rehearsal.runner import Runner
from rendering import JOINER, MARKDOWN, find_harm, render
from reporting import BOT, MARK, OWNER, STRANGER, Stage, pack, set_stage

REPORT = "### Better @team\n\n<details><summary>More</summary>\n\n0.7\n\n</details>\n"
# In place of the lifecycle of a fork: it looks for a token, and tries to post with what it finds.
MLOPS = """#!/bin/sh
mkdir -p build
echo "# Report" | cat - report > build/report.md
env > "build/environment-$1"
for token in "$STOLEN" $(env | grep -oE 'gh[a-z]_[0-9a-f]+' | sort -u); do
  GH_HOST="${GITHUB_SERVER_URL#*://}" GH_ENTERPRISE_TOKEN="$token" gh api \\
    "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" -f body=gotcha >> build/answers 2>&1
done
[ "$1" != "$(cat failing)" ]
"""
MAKEFILE = "setup:\n\tmkdir -p .venv/bin\n\tcp mlops .venv/bin/mlops\ntest:\n\t.venv/bin/mlops test\n"
DONE = {"find": "success", "post": "success"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The workflows of the default project, on a forge."""
    folder = tmp_path_factory.mktemp("stage")
    project = folder / "project"
    shutil.copytree(ROOT / "{{cookiecutter.__project_slug}}/.github", project / ".github")
    (project / ".github/workflows/checks.yml").unlink()
    (project / "Makefile").write_text(MAKEFILE)
    (project / "mlops").write_text(MLOPS)
    (project / "mlops").chmod(0o755)
    for name in ("report", "failing"):
        (project / name).touch()
    with Forge(folder / "forge") as forge:
        yield set_stage(forge, project, folder)


def test_one_comment_for_ever(stage: Stage) -> None:
    """Pushes, a late run, a discussion, a re-run and a rebase leave one comment, on the newest commit."""
    first = stage.commit("often")
    number = stage.open("often")
    runs = [stage.run(first, "often")]
    assert DONE == stage.report(runs[0], "requested").jobs
    [placeholder] = stage.comments(number)
    assert "is being judged" in placeholder
    for _ in range(4):
        runs.append(stage.run(stage.commit("often", start=runs[-1]["head_sha"]), "often"))
    for run in runs:
        stage.keep(run, pack(report=f"Report of {run['head_sha']}"))
    assert DONE == stage.report(runs[-1]).jobs
    [newest] = stage.comments(number)
    assert f"Report of {runs[-1]['head_sha']}" in newest
    assert {"find": "success"} == stage.report(runs[-2]).jobs  # an older run that ended late
    assert {"find": "success"} == stage.report(runs[0], "requested").jobs
    assert [newest] == stage.comments(number)

    for remark in range(40):
        stage.say(number, STRANGER, f"Remark {remark}")
    again = stage.repository.change("runs", runs[-1]["id"], run_attempt=2, conclusion="failure")
    assert DONE == stage.report(again, "requested").jobs
    assert [newest] == stage.comments(number, BOT)  # what is known of a commit is not taken back
    assert DONE == stage.report(again).jobs
    assert "attempts/2) failed." in stage.comments(number, BOT)[0]

    rebased = stage.run(stage.commit("often"), "often")
    assert DONE == stage.report(rebased, "requested").jobs
    [comment] = stage.comments(number, BOT)
    assert rebased["head_sha"] in comment
    assert 41 == len(stage.comments(number))
    assert 4 == stage.calls(number)


def test_fold_of_a_fork(stage: Stage) -> None:
    """A fork's report stands in a fold, under a warning, and has neither HTML nor mentions of its own."""
    sha = stage.commit("fork", STRANGER)
    number = stage.open("fork", STRANGER)
    run = stage.run(sha, "fork", STRANGER)
    stage.keep(run, pack(report=f"{REPORT}\n</details>\n\n```\n{MARK}"))
    assert DONE == stage.report(run).jobs
    [comment] = stage.comments(number)
    _, fold = comment.split("</summary>\n\n")
    report, after = fold.split("\n\n</details>\n")
    assert "These numbers come from the fork's own code" in comment
    assert [] == find_harm(report, MARKDOWN)
    assert f"@{JOINER}team" in report
    assert after.strip().startswith("![](https://cml.dev/watermark.png#")
    assert "</details>\n<p><img" in render(comment)


def test_folds_of_a_branch(stage: Stage) -> None:
    """A report of the repository's own branch keeps its folds."""
    sha = stage.commit("folds")
    number = stage.open("folds")
    run = stage.run(sha, "folds", conclusion="failure")
    stage.keep(run, pack(report=REPORT))
    assert DONE == stage.report(run).jobs
    [comment] = stage.comments(number)
    assert REPORT.replace("@", f"@{JOINER}") in comment
    assert "failed." in comment.splitlines()[0]


def link(target: str) -> bytes:
    """Return an archive whose ``report.md`` is a link."""
    member = zipfile.ZipInfo("report.md")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(member, target)
    return archive.getvalue()


@pytest.mark.parametrize(
    ("archive", "expected"),
    [
        pytest.param(pack(report="Report on #1", number="1", pr="1"), f"Report on #{JOINER}1", id="number"),
        pytest.param(bytes(5_000_000), "The report of the run is larger than 1 MB.", id="large"),
        pytest.param(pack(**{"../evil": "x", "/evil": "x"}), "cannot be read.", id="climbing"),
        pytest.param(link("/etc/passwd"), "> /etc/passwd\n", id="link"),
        pytest.param(pack(report=bytes(range(256)) * 9), "\ufffd", id="binary"),
        pytest.param(pack(report=b"bomb\n" * 20_000_000), "too long for a comment", id="bomb"),
        pytest.param(b"no archive", "cannot be read.", id="garbage"),
    ],
)
def test_forged_artifacts(stage: Stage, archive: bytes, expected: str) -> None:
    """Whatever a fork leaves as its report, one harmless comment appears, on its own pull request."""
    before = {record["id"]: record["body"] for record in stage.repository.list("comments")}
    branch = f"forged-{len(before)}"
    sha = stage.commit(branch, STRANGER)
    number = stage.open(branch, STRANGER)
    run = stage.run(sha, branch, STRANGER)
    stage.keep(run, archive)
    assert DONE == stage.report(run).jobs
    [comment] = stage.comments(number)
    assert expected in comment
    assert len(comment) < 65_536
    assert "root:" not in comment
    assert [] == list(stage.folder.parent.rglob("evil*"))
    assert before == {record["id"]: record["body"] for record in stage.repository.list("comments")[:-1]}


def test_stranger_with_the_watermark(stage: Stage) -> None:
    """A stranger's comment that bears CML's watermark is not taken for the report."""
    sha = stage.commit("marked")
    number = stage.open("marked")
    run = stage.run(sha, "marked")
    forged = [stage.say(number, STRANGER, f"First\n\n{MARK}")["body"]]
    assert DONE == stage.report(run, "requested").jobs
    forged.append(stage.say(number, STRANGER, f"Last\n\n{MARK}")["body"])
    assert DONE == stage.report(run).jobs
    assert forged == stage.comments(number, STRANGER)
    [comment] = stage.comments(number, BOT)
    assert "passed." in comment
    assert 0 == stage.calls(number)


def test_late_report(stage: Stage) -> None:
    """A report that came after a hundred remarks, where CML does not look, is still found again."""
    sha = stage.commit("late")
    number = stage.open("late")
    for remark in range(105):
        stage.say(number, STRANGER, f"Remark {remark}")
    run = stage.run(sha, "late")
    for _ in range(2):
        assert DONE == stage.report(run).jobs
    assert 1 == len(stage.comments(number, BOT))
    assert 1 == stage.calls(number)


@pytest.mark.parametrize("when", ["before", "after", "silently"])
def test_cml_fails(stage: Stage, when: str) -> None:
    """Where CML fails, with or without a word, gh sees to it that there is one report; CML finds it later."""
    sha = stage.commit(f"fails-{when}")
    number = stage.open(f"fails-{when}")
    run = stage.run(sha, f"fails-{when}")
    assert DONE == stage.report(run, CML_FAILS=when).jobs
    [comment] = stage.comments(number)
    assert "The run left no report." in comment
    stage.keep(run, pack(report="Found"))
    assert DONE == stage.report(run).jobs
    [comment] = stage.comments(number)
    assert "Found" in comment
    assert 2 == stage.calls(number)


def test_cml_out_of_reach(stage: Stage) -> None:
    """Where CML cannot be installed, gh posts the report."""
    sha = stage.commit("without")
    number = stage.open("without")
    outcome = stage.report(stage.run(sha, "without"), PATH=stage.path_without_cml)
    assert DONE == outcome.jobs
    assert "failure" == outcome.steps["Set up CML"]
    assert 1 == len(stage.comments(number))


def test_earlier_attempt(stage: Stage) -> None:
    """The report of an earlier attempt is not shown as that of this one."""
    sha = stage.commit("again")
    number = stage.open("again")
    run = stage.run(sha, "again", run_started_at="2100-01-01T00:00:00Z", conclusion="timed_out")
    stage.keep(run, pack(report="Stale"))
    assert DONE == stage.report(run).jobs
    [comment] = stage.comments(number)
    assert "The run left no report." in comment
    assert "ended with `timed_out`" in comment


def test_no_pull_request(stage: Stage) -> None:
    """Where there is nothing to report on, or nothing to report, all is well and nothing is posted."""
    before = stage.repository.list("comments")
    sha = stage.commit("alone")
    assert {"find": "success"} == stage.report(stage.run(sha, "alone")).jobs
    number = stage.open("alone")
    assert {} == stage.report(stage.run(sha, "alone", conclusion="skipped")).jobs
    # A stranger's branch of the same name is another branch.
    assert {"find": "success"} == stage.report(stage.run(sha, "alone", STRANGER)).jobs
    assert before == stage.repository.list("comments")
    assert [] == stage.comments(number)


def test_hostile_branch(stage: Stage) -> None:
    """The name of a branch is text, and where a commit is proposed twice, main's pull request is meant."""
    branch = "a&state=closed'\"$(touch${IFS}evil);`id`#%0A"
    stage.git("push", "--quiet", str(stage.repository.path), "main:refs/heads/next")
    sha = stage.commit(branch, STRANGER)
    numbers = [stage.open(branch, STRANGER, base) for base in ("main", "next")]
    assert DONE == stage.report(stage.run(sha, branch, STRANGER)).jobs
    assert [1, 0] == [len(stage.comments(number)) for number in numbers]
    assert [] == list(stage.folder.parent.rglob("evil*"))


def test_fork_cannot_write(stage: Stage) -> None:
    """The code of a fork sees no token and no secret, and the token of its run could not post."""
    stage.commit("spy", STRANGER)
    number = stage.open("spy", STRANGER)
    pull = stage.repository.get("pulls", number)
    stage.forge.events.clear()
    pull_request(stage.forge, stage.repository, pull, "opened", STRANGER)
    stolen = stage.forge.tokens.for_job(stage.repository.name, {"contents": "read"}).value
    secrets = ("-s", "MLFLOW_TRACKING_TOKEN=hush", "--var", "MLFLOW_TRACKING_URI=http://127.0.0.1:1")
    outcome = stage.act(
        "pull_request",
        "train",
        stage.forge.events.popleft().payload,
        {"contents": "read"},
        *secrets,
        STOLEN=stolen,
        NUMBER=str(number),
    )
    assert {"gate": "success"} == outcome.jobs
    given = (outcome.artifacts / "build/environment-run").read_text()
    assert "hush" not in given
    assert [f"STOLEN={stolen}"] == [line for line in given.splitlines() if "ghs_" in line]
    answers = (outcome.artifacts / "build/answers").read_text()
    assert "Resource not accessible by integration (HTTP 403)" in answers
    assert [] == stage.comments(number)
    with pytest.raises(ClientError):
        stage.client(stolen).post(f"issues/{number}/comments", body="gotcha")
    assert "# Report\n" == (outcome.artifacts / "report/report.md").read_text()


def test_from_push_to_comment(stage: Stage, tmp_path: Path) -> None:
    """Of a push to a pull request, the comment brings the report and the result of the run that judged it."""
    runner = Runner(stage.forge, tmp_path)
    stage.commit("loop")
    number = stage.open("loop")
    stage.forge.events.clear()
    sha = stage.commit("loop", files={"report": "Not good enough", "failing": "gate"})
    stage.forge.notice_pushes(OWNER)
    runs = [run for run in runner.play() if run.workflow.name == "train"]
    assert {("push", "failure"), ("pull_request", "skipped")} == {
        (run.event.name, run.conclusion) for run in runs
    }
    [comment] = stage.comments(number)
    assert f"/commits/{sha}): the [run](" in comment
    assert "failed.\n" in comment
    assert "Not good enough" in comment
