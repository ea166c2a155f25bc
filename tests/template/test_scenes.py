"""The scenes of a rehearsal are played with the real workflows, and say what came of them."""

from __future__ import annotations

import ast
import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from baking import Bake, list_files
from deploying import DIGEST, IMAGE, Deployment, find_build
from rehearsal import edits
from rehearsal.__main__ import main
from rehearsal.bake import PROBLEMS
from rehearsal.edits import EditError
from rehearsal.expectations import SceneError
from rehearsal.forge import Forge, Record, git
from rehearsal.rehearse import rehearse
from rehearsal.scenes import SCENES
from rehearsal.stage import DEPLOY, Stage, make_runner
from rehearsal.story import PullRequest, Story, read_story
from rehearsal.timeline import DOUBTFUL, Timeline
from rendering import OWN, find_harm, load_script, look

BOT = "github-actions[bot]"


@pytest.fixture(scope="module")
def played(bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a rehearsal of all scenes with the default project."""
    project = bake()
    params = project / "params.yaml"
    text = re.sub(r"replicates: \d+", "replicates: 300", params.read_text())
    # The machine is busy with other tests, which is no reason to fail here.
    params.write_text(re.sub(r"max_latency_ms: \d+", "max_latency_ms: 10000", text))
    folder = tmp_path_factory.mktemp("rehearsal")
    try:
        rehearse(list(SCENES), project, folder / "play", keep=True)
        end = ""
    except SceneError as error:
        end = str(error)
    told = read_story(folder / "play/story.json").events
    assert ([], "") == ([event.text for event in told if event.mark == DOUBTFUL], end)
    return folder / "play"


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


Deploy = Callable[[str], Deployment]


@pytest.fixture
def deploy(played: Path, tmp_path: Path) -> Iterator[Deploy]:
    """Give the job that deploys what a branch has built, before its first step."""
    shutil.copytree(played / "forge", tmp_path / "forge")
    with Forge(tmp_path / "forge") as forge:
        repository = forge.repository("octocat/flight-delays")
        [environment] = (played / "environments").iterdir()

        def prepare(branch: str) -> Deployment:
            deployment = Deployment(forge, repository, tmp_path / branch / "workspace", played / "project")
            deployment.prepare(environment, find_build(repository, forge, branch))
            return deployment

        yield prepare


def test_deployment_that_dies(deploy: Deploy) -> None:
    """Wherever a deployment dies, production is as it was or as it shall be; the next one finishes it."""
    deployment = deploy("rate")
    before = deployment.read_production()
    version = deployment.plan()
    assert str(before[0]["version"] + 1) == version
    assert deployment.run("Release", "gh", VERSION=version)
    calls = range(1, deployment.count_calls() + 1)
    for call, when in product(calls, ("before", "after")):
        assert not deployment.run("Release", "gh", f"{call}:{when}", VERSION=version), (call, when)
    assert before == deployment.read_production()
    assert deployment.run("Release", VERSION=version)
    for dies in ("ls-remote:before", "fetch:after", "commit-tree:before", "commit-tree:after", "push:before"):
        assert not deployment.run("Put it into production", "git", dies, VERSION=version)
        assert before == deployment.read_production()
    assert not deployment.run("Put it into production", "git", "push:after", VERSION=version)
    state, _ = deployment.read_production()
    assert (version, f"{IMAGE}@{DIGEST}") == (str(state["version"]), state["image"])
    assert "" == deployment.plan()
    assets = ["bundle.tar.gz", "sbom.cdx.json", "metrics.json", "model_card.md", "report.html"]
    assert [(False, assets)] == deployment.list_releases(version)


def test_registration(deploy: Deploy) -> None:
    """What runs and what ran before is registered from the releases, where MLflow never heard of it."""
    deployment = deploy("rate")
    database = deployment.workspace.parent / "mlflow.db"
    deployment.run("Register in MLflow", MLFLOW_TRACKING_URI=f"sqlite:///{database}")
    versions = deployment.list_versions()
    before = next(version for version in versions if version != versions[0])
    assert {"champion": str(versions[0]), "previous": str(before)} == read_aliases(database)


def read_aliases(database: Path) -> dict[str, str]:
    """Return which version of production each alias names."""
    query = "SELECT alias, value FROM registered_model_aliases JOIN model_version_tags USING (name, version)"
    with closing(sqlite3.connect(database)) as store:
        return dict(store.execute(f"{query} WHERE key = 'production_version'").fetchall())


def test_two_merges_at_once(played: Path, tmp_path: Path) -> None:
    """Two merges before the first of them is deployed: one after the other, each has a version of its own."""
    shutil.copytree(played / "forge", tmp_path / "forge")
    shutil.copytree(played / "project", tmp_path / "project")
    with Forge(tmp_path / "forge") as forge:
        runner = make_runner(forge, played / "project", tmp_path, played / "environments")
        stage = Stage(forge, forge.repository("octocat/flight-delays"), runner, Timeline(), tmp_path)
        stage.git("remote", "set-url", "origin", str(stage.repository.path))
        numbers = [open_approved(stage, "seed", r"seed: \d+"), open_approved(stage, "folds", r"folds: \d+")]
        forge.events.clear()
        newest = stage.read_production() or 0
        assert [None, None] == [stage.merge(number) for number in numbers]
        runs = [run for run in stage.play() if run.workflow.path == DEPLOY]
        assert ["success", "success"] == [run.conclusion for run in runs], runs[-1].outcome.log
        commits = git.git(stage.repository.path, "rev-list", "--first-parent", "production").split()[:2]
        models = [json.loads(git.git(stage.repository.path, "show", f"{sha}:model.json")) for sha in commits]
        assert [newest + 2, newest + 1] == [model["version"] for model in models]
        assert [run.record["head_sha"] for run in reversed(runs)] == [model["commit"] for model in models]
        tags = [release["tag_name"] for release in stage.repository.list("releases")]
        assert [1, 1] == [tags.count(f"model-v{newest + more}") for more in (1, 2)]


def open_approved(stage: Stage, key: str, pattern: str) -> int:
    """Open a pull request that sets a number to 4, and let its check have passed; return its number."""
    stage.begin(key)
    params = stage.project / "params.yaml"
    params.write_text(re.sub(pattern, f"{key}: 4", params.read_text()))
    edits.waive_gates(stage.project, "2999-12-31")  # by chance it may be a little worse
    stage.push(key, f"Set {key} to 4")
    times = {"started_at": "2026-01-01T00:00:00Z", "completed_at": "2026-01-01T00:01:00Z"}
    head = stage.git("rev-parse", "HEAD")
    check = {"name": "gate", "run": 1, "head_sha": head, "status": "completed", "conclusion": "success"}
    stage.repository.add("checks", check | times)
    return stage.open(f"Set {key} to 4", "It might help.", key)


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


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("edit", [edits.improve_model, edits.cripple_model, edits.learn_faster])
def test_edits(bake: Bake, problem: str, edit: Callable[[Path], object]) -> None:
    """An edit changes Python that can still be read, and names candidates that exist."""
    project = bake(problem=problem)
    files = [path for name in ("models.py", "features.py") for path in project.glob(f"src/*/{name}")]
    before = [path.read_text() for path in files]
    edit(project)
    after = [path.read_text() for path in files]
    assert before != after
    for text in after:
        ast.parse(text)
    names = yaml.safe_load((project / "params.yaml").read_text())["train"]["candidates"]
    assert [] == [name for name in names if f'"{name}"' not in after[0]]


def test_waivers_are_replaced(bake: Bake) -> None:
    """To waive for another time touches no other setting."""
    params = bake() / "params.yaml"
    before = yaml.safe_load(params.read_text())
    edits.waive_gates(params.parent, "2999-12-31")
    edits.waive_gates(params.parent, "2020-12-31")
    after = yaml.safe_load(params.read_text())
    assert {"2020-12-31"} == {str(waiver["until"]) for waiver in after["gates"].pop("waive")}
    assert before == after


def test_curious_workflow(bake: Bake) -> None:
    """What a curious fork makes of the workflow is still one, which asks for more than it will get."""
    project = bake()
    edits.be_curious(project)
    job = yaml.safe_load((project / ".github/workflows/train.yml").read_text())["jobs"]["gate"]
    assert "write" == job["permissions"]["pull-requests"]
    assert "Be curious" == job["steps"][0]["name"]


@pytest.mark.parametrize("edit", [edits.let_models_vote, edits.cripple_model, edits.learn_faster])
def test_another_project(tmp_path: Path, edit: Callable[[Path], None]) -> None:
    """In a project that has no place for an edit, one sentence says so."""
    (tmp_path / "src" / "mine").mkdir(parents=True)
    with pytest.raises(EditError, match=r"src/\*/models.py is missing"):
        edit(tmp_path)
    (tmp_path / "src" / "mine" / "models.py").write_text("def candidates(): ...\n")
    with pytest.raises(EditError, match="rehearse another one"):
        edit(tmp_path)


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    """The scenes are listed, each with what happens in it."""
    assert 0 == main(["--list"])
    lines = capsys.readouterr().out.splitlines()
    assert list(SCENES) == [line.split()[0] for line in lines]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["drama"], f"there is no scene 'drama'; the scenes are {', '.join(SCENES)}"),
        (["--project", "."], ". has no params.yaml; --project wants the folder of a baked project"),
        (["--keep", "."], ". is not empty; --keep wants a new folder"),
    ],
)
def test_wrong_usage(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Wrong usage is one sentence and status 2, and nothing is written."""
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert 2 == ended.value.code
    assert expected in capsys.readouterr().err
    assert ["file"] == list_files(tmp_path)


def test_timeline(capsys: pytest.CaptureFixture[str]) -> None:
    """What happens is printed as it happens, and what was not expected is counted."""
    timeline = Timeline()
    timeline.begin("better")
    timeline.tell("#1 is opened")
    timeline.expect(True, "it is merged", "it is not")
    timeline.expect(False, "it is merged", "it is not")
    assert ["#1 is opened", "it is merged", "Unexpected: it is not"] == [
        event.text for event in timeline.events
    ]
    assert 1 == timeline.surprises
    assert 3 == len(capsys.readouterr().out.splitlines())
