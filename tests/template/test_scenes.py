"""The scenes of a rehearsal are played with the real workflows, and say what came of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from zipfile import ZipFile

import pytest

from deploying import find_build
from rehearsal.forge import Forge, Record, git
from rehearsal.scenes import SCENES
from rehearsal.story import PullRequest, Story, read_story
from rendering import OWN, find_harm, load_script, look

BOT = "github-actions[bot]"


@pytest.fixture(scope="module")
def story(played: Path) -> Story:
    return read_story(played / "story.json")


def find(story: Story, head: str) -> PullRequest:
    return next(pull for pull in story.pull_requests if pull.head == head)


def read_report(story: Story, head: str) -> str:
    [report] = [comment.body for comment in find(story, head).comments if comment.author == BOT]
    return report


@pytest.mark.parametrize(
    ("head", "state", "gate", "verdict"),
    [
        ("better", "merged", "success", "Better than champion v1"),
        ("faster", "open", "failure", "Worse than champion v1"),
        ("rate", "open", "success", "No worse than champion v1"),
        ("strict", "open", "failure", "Cannot tell"),
        ("words", "merged", "success", "Nothing that can change the model has changed"),
        ("waived", "open", "failure", "Worse than champion v1"),
        ("more-data", "open", "failure", "The data break the contract"),
        ("stranger:tuning", "open", "success", "No worse than champion v1"),
    ],
)
def test_verdicts(story: Story, head: str, state: str, gate: str, verdict: str) -> None:
    """Each pull request gets one report with its verdict, and the check that goes with it."""
    pull = find(story, head)
    checks = {check.name: check.conclusion for check in pull.checks}
    assert (state, gate) == (pull.state, checks["gate"])
    assert verdict in read_report(story, head)


def test_nothing(story: Story) -> None:
    """Where words alone have changed, nothing is trained: the champion's model and numbers are shown."""
    report = read_report(story, "words")
    assert "Production runs this very model, champion v1" in report
    assert "Model reused" in report


def test_production(story: Story) -> None:
    """A merge deploys what is new and nothing else; a rollback goes back and forward again."""
    told = [event.text for event in story.events if event.text.startswith("Model ")]
    assert [f"Model {version} is in production" for version in (1, 1, 2, 1, 2, 3, 3)] == told


def test_deployed_service(story: Story) -> None:
    """What was deployed is asked for a prediction, and so is what production was rolled back to."""
    told = [event for event in story.events if event.text.startswith("The service answers with model ")]
    assert [("better", "2"), ("rollback", "1")] == [
        (event.scene, event.text.split()[5].rstrip(":")) for event in told
    ]


def test_images(played: Path) -> None:
    """Each version has one image, attested and named by its digest in what runs it, and no merge of words
    makes another; a rollback brings the manifests of the version back."""
    runs = sorted(played.glob("runner/runs/*/log.txt"), key=lambda path: int(path.parent.name.split("-")[0]))
    logs = "".join(path.read_text() for path in runs)
    pushed = dict(re.findall(r"Pushed (\S+)@(sha256:\w{64})\.", logs))
    assert ["model-v1", "model-v2", "model-v3"] == [tag.rpartition(":")[2] for tag in pushed]
    assert list(pushed.values()) == re.findall(r"Attested the bill of materials of \S+@(sha256:\w+)", logs)
    [remote] = played.glob("forge/remotes/octocat/flight-delays.git")
    shown = [
        (json.loads(git.git(remote, "show", f"{commit}:model.json"))["image"].rpartition("@")[2], digest)
        for commit in git.git(remote, "log", "--format=%H", "production", "--", "model.json").split()
        for digest in re.findall("digest: (.*)", git.git(remote, "show", f"{commit}:k8s/kustomization.yaml"))
        if digest in git.git(remote, "show", f"{commit}:compose.yaml")
    ]
    first, second, third = pushed.values()
    expected = [third, second, first, second, first]
    assert [(digest, digest) for digest in expected] == shown


def test_waiver(story: Story) -> None:
    """A waiver lets a gate pass; once expired it does not, and is still shown with its reason."""
    told = [event.text for event in story.events if event.scene == "waiver"]
    assert [
        "train.yml for the pull request: gate is success",
        "train.yml for the push: gate is failure at Check the gates",
    ] == [text for text in told if text.startswith("train.yml for ")]
    headlines = [text.partition(": ")[2][0] for text in told if text.startswith("The report on ")]
    assert ["⚠", "❌"] == headlines
    assert "The waiver expired on 2020-12-31: it answers in time" in read_report(story, "waived")


def test_bad_data(story: Story) -> None:
    """The report on bad data names column, check, count and examples; nothing was trained."""
    report = read_report(story, "more-data")
    assert "| `temp` | is at least -30 | 69 (0.3 %) | `-999.0` |" in report
    assert "Nothing was trained." in report


def test_fork(story: Story) -> None:
    """A stranger's pull request has one comment, the report; what its run tried to write is not there."""
    pull = find(story, "stranger:tuning")
    assert ("stranger", [BOT]) == (pull.author, [comment.author for comment in pull.comments])
    assert "Written by a fork" not in pull.comments[0].body


def test_retraining(story: Story) -> None:
    """New data lead to one pull request of the bot's at a time; the first is merged, the second kept out."""
    first, second = (pull for pull in story.pull_requests if pull.head == "retrain")
    assert (BOT, "merged") == (first.author, first.state)
    assert (BOT, "open") == (second.author, second.state)
    assert ["success", "failure"] == [check.conclusion for pull in (first, second) for check in pull.checks]
    assert [1, 1] == [len(pull.comments) for pull in (first, second)]
    assert "- `data/flights-2013-09.parquet`" in first.body
    assert "data/flights-2013-12.parquet" in second.diff
    assert "Cannot tell" in second.comments[0].body


def test_issues(story: Story) -> None:
    """Each alarm has one issue, which names what moved; it is closed when all is quiet, and never reused."""
    assert ["closed", "closed"] == [issue.state for issue in story.issues]
    assert [[BOT], [BOT]] == [[comment.author for comment in issue.comments] for issue in story.issues]
    for issue in story.issues:
        assert issue.comments[0].body.startswith("It is quiet again")
        assert "| `temp` |" in issue.body
    assert "its data have moved" in story.issues[1].body


def test_checks(played: Path) -> None:
    """Each check is kept on the branch production, and shown on the site; what runs is not touched by it."""
    [remote] = played.glob("forge/remotes/octocat/flight-delays.git")
    lines = git.git(remote, "show", "production:monitoring/history.jsonl").splitlines()
    checks = [json.loads(line) for line in lines]
    assert [False, False, True, True, False, False, True, False] == [check["alarm"] for check in checks]
    assert [2] * 4 + [3] * 4 == [check["model"] for check in checks]
    subjects = git.git(remote, "log", "--format=%s", "production").splitlines()
    assert 8 == sum(subject.startswith("Check model") for subject in subjects)
    assert "Model 3" in (played / "site" / "index.html").read_text(encoding="utf-8")
    assert "monitoring.html" in [path.name for path in (played / "monitoring").iterdir()]


def test_what_a_run_leaves(played: Path) -> None:
    """A run keeps its records, report and bundle; its summary is the report, and harmless as a comment."""
    with Forge(played / "forge") as forge:
        repository = forge.repository("octocat/flight-delays")
        with ZipFile(find_build(repository, forge, "better")) as archive:
            names, record = set(archive.namelist()), json.loads(archive.read("run.json"))
            report = archive.read("report.md").decode()
        run = [run for run in repository.list("runs") if is_training(run, "better")][-1]
    records = {f"{name}.json" for name in ("validation", "training", "evaluation", "comparison")}
    assert records | {"report.html", "bundle/model.skops", "bundle/MANIFEST.json"} <= names
    assert ("finished", False) == (record["status"], record["dirty"])
    folder = played / "runner" / "runs" / f"{run['id']}-1"
    assert report == (folder / "summary.md").read_text(encoding="utf-8")
    assert report == (folder / "artifacts/report/report.md").read_text(encoding="utf-8")
    script = load_script()
    for harmless in (script.neutralise_own(report.encode()), script.neutralise_fork(report.encode())):
        assert look(report) == look(harmless)
        assert {"class=language-mermaid"} == set(find_harm(harmless, OWN))


def is_training(run: Record, branch: str) -> bool:
    """Tell whether a run has judged a branch."""
    return (run["name"], run["head_branch"]) == ("train", branch)


def test_everything_is_told(story: Story, played: Path) -> None:
    """Every scene is in the story, in order and with its time; the page is there."""
    assert list(SCENES) == list(dict.fromkeys(event.scene for event in story.events))
    assert sorted(event.seconds for event in story.events) == [event.seconds for event in story.events]
    assert [] == [event.text for event in story.events if event.text.startswith("Unexpected")]
    assert "Let the models vote" in (played / "index.html").read_text(encoding="utf-8")


def test_nothing_outside(played: Path) -> None:
    """All that a rehearsal writes lies in its folder, the homes of its runs included."""
    assert ["play"] == [path.name for path in played.parent.iterdir()]
    expected = ["environments", "forge", "index.html", "project", "runner", "story.json"]
    assert set(expected) <= {path.name for path in played.iterdir()}
