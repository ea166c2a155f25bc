"""The forge answers as GitHub says that GitHub answers, and opens no door that GitHub keeps shut."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from jsonschema import ValidationError

from openapi import check_answer, read_description
from rehearsal.client import Client, ClientError
from rehearsal.forge import Forge, Record
from rehearsal.forge.description import collect_required
from rehearsal.forge.repository import Repository
from rehearsal.forge.required import FILE, complete
from rehearsal.surroundings import tool

NAME = "octocat/flights"
REPOSITORY = f"/repos/{NAME}"
TRAIN = "name: train\non: {push: {}, workflow_dispatch: {}}\njobs: {}\n"
SILENT = "name: silent\non: push\njobs: {}\n"
PERSON = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")


@dataclass
class Scene:
    """A repository with a bit of everything, and who may ask for it."""

    forge: Forge
    repository: Repository
    work: Path
    run: Record
    artifact: Record

    def ask(self, method: str, path: str, body: Any = None, token: str = "", accept: str = "") -> Any:
        """Send a request as its owner, hold the answer against the description, and return its JSON."""
        status, answer = self.send(method, path, body, token, accept)
        check_answer(method, path.partition("?")[0], status, answer)
        return answer

    def send(
        self, method: str, path: str, body: Any = None, token: str = "", accept: str = ""
    ) -> tuple[int, Any]:
        """Send a request and return the status and the JSON of the answer."""
        token = token or self.owner
        headers = {"Authorization": f"Bearer {token}", "Accept": accept or "application/vnd.github+json"}
        data = json.dumps(body).encode() if body is not None else None
        request = Request(self.forge.addresses.api + path, data, headers, method=method)
        try:
            with urlopen(request, context=self.client.context) as answer:
                return answer.status, _read(answer.read())
        except HTTPError as error:
            return error.code, _read(error.read())

    def git(self, *words: str) -> str:
        command = ["git", *PERSON, *words]
        return subprocess.run(
            command, cwd=self.work, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, branch: str, name: str, content: str, remote: str = "origin") -> str:
        """Push a change to a branch, which begins at main."""
        self.git("checkout", "--quiet", "-B", branch)
        (self.work / name).parent.mkdir(parents=True, exist_ok=True)
        (self.work / name).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Change {name}")
        self.git("push", "--quiet", "--force", remote, branch)
        sha = self.git("rev-parse", "HEAD")
        self.git("checkout", "--quiet", "main")
        return sha

    def pass_check(self, sha: str, conclusion: str = "success") -> None:
        times = {"started_at": "2026-01-01T00:00:00Z", "completed_at": "2026-01-01T00:01:00Z"}
        check = {"name": "gate", "run": self.run["id"], "head_sha": sha, "status": "completed"}
        self.repository.add("checks", {**check, **times, "conclusion": conclusion})

    @property
    def client(self) -> Client:
        return Client(self.forge.addresses.repository(NAME), self.owner, self.forge.authority)

    @property
    def owner(self) -> str:
        return self.forge.tokens.for_person("octocat").value

    def job(self, **rights: str) -> str:
        """Return the token of a job that has some rights."""
        named = {scope.replace("_", "-"): level for scope, level in rights.items()}
        return self.forge.tokens.for_job(NAME, named).value


def _read(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("forge")
    with Forge(folder / "forge") as forge:
        repository = forge.create(NAME, required_checks=["gate"])
        work = folder / "work"
        subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", str(work)], check=True)
        scene = Scene(forge, repository, work, {}, {})
        scene.git("remote", "add", "origin", str(repository.path))
        for name, content in {
            "params.yaml": "seed: 1\n",
            "data/2013.csv": "x\n1\n",
            ".github/workflows/train.yml": TRAIN,
            ".github/workflows/silent.yml": SILENT,
        }.items():
            head = scene.commit("main", name, content)
        forge.fork(NAME, "stranger")
        scene.git("remote", "add", "fork", str(forge.repository("stranger/flights").path))
        scene.commit("better", "params.yaml", "seed: 2\n")
        scene.run = repository.add("runs", _run(head))
        scene.artifact = repository.add("artifacts", _artifact(scene.run))
        archive = forge.files.path("artifacts", scene.artifact["id"])
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("report.md", "# Report\n")
        scene.ask("POST", f"{REPOSITORY}/pulls", {"title": "Better", "head": "better", "base": "main"})
        yield scene


def _run(head: str) -> Record:
    return {
        "path": ".github/workflows/train.yml",
        "name": "train",
        "run_number": 1,
        "run_attempt": 1,
        "event": "push",
        "head_sha": head,
        "head_branch": "better",
        "head_repository": NAME,
        "actor": "octocat",
        "display_title": "Change the seed",
        "status": "completed",
        "conclusion": "success",
        "run_started_at": "2026-01-01T00:00:00Z",
    }


def _artifact(run: Record) -> Record:
    return {"run": run["id"], "name": "report", "size_in_bytes": 120, "digest": "sha256:" + "0" * 64}


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/branches",
        "/branches/better",
        "/git/ref/heads/main",
        "/git/trees/better",
        "/git/trees/better?recursive=1",
        "/commits/better",
        "/contents/",
        "/contents/data",
        "/contents/params.yaml?ref=better",
        "/pulls?state=all",
        "/pulls?head=octocat:better&base=main",
        "/pulls/1",
        "/pulls/1/commits",
        "/pulls/1/files",
        "/issues/1/comments",
        "/issues?state=all&labels=monitoring",
        "/actions/runs",
        "/actions/runs?branch=better&event=push&status=success",
        "/actions/workflows/train.yml/runs",
        "/actions/artifacts?name=report",
        "/commits/main/check-runs",
        "/releases",
    ],
)
def test_reading(scene: Scene, path: str) -> None:
    """What is read has the shape that GitHub describes."""
    assert scene.ask("GET", REPOSITORY + path) is not None


def test_contents(scene: Scene) -> None:
    """A file comes as base64, or raw where that is asked for; as it is on the branch that is named."""
    shown = scene.ask("GET", f"{REPOSITORY}/contents/params.yaml?ref=better")
    raw = scene.client.send_bytes(
        "GET", "contents/params.yaml", None, None, "application/vnd.github.raw+json"
    )
    assert (b"seed: 2\n", b"seed: 1\n") == (base64.b64decode(shown["content"]), raw)


@pytest.mark.parametrize(
    "path",
    [
        "/contents/missing",
        "/contents/params.yaml?ref=missing",
        "/branches/missing",
        "/git/ref/heads/mai",
        "/git/trees/missing",
        "/pulls/99",
        "/issues/99/comments",
        "/issues/99",
        "/issues/comments/99999",
        "/releases/tags/missing",
        "/releases/99999",
        "/releases/assets/99999",
    ],
)
def test_what_is_not_there(scene: Scene, path: str) -> None:
    """What is not there is a 404 with GitHub's words."""
    status, answer = scene.send("GET", REPOSITORY + path)
    assert (404, {"message", "documentation_url", "status"}) == (status, set(answer))


@pytest.mark.parametrize("path", ["/repos/nobody/nothing", "/nowhere", f"{REPOSITORY}/pulls/one"])
def test_unknown_addresses(scene: Scene, path: str) -> None:
    """An address that leads nowhere is a 404 too."""
    assert (404, "Not Found") == (scene.send("GET", path)[0], scene.send("GET", path)[1]["message"])


def test_life_of_a_comment(scene: Scene) -> None:
    """A comment is made, read, written anew and removed."""
    comment = scene.ask("POST", f"{REPOSITORY}/issues/1/comments", {"body": "First"})
    path = f"{REPOSITORY}/issues/comments/{comment['id']}"
    scene.ask("PATCH", path, {"body": "Second"})
    assert "Second" == scene.ask("GET", path)["body"]
    scene.ask("DELETE", path)
    assert 404 == scene.send("GET", path)[0]


@pytest.mark.parametrize("body", [{}, {"body": " "}, {"body": "x" * 65537}])
def test_comments_that_github_refuses(scene: Scene, body: dict[str, str]) -> None:
    """An empty comment, or one beyond GitHub's limit, is not taken."""
    status, answer = scene.send("POST", f"{REPOSITORY}/issues/1/comments", body)
    assert (422, "Validation Failed") == (status, answer["message"])


def test_life_of_an_issue(scene: Scene) -> None:
    """An issue is opened with a label, found by it, talked about, written anew and closed."""
    job = scene.job(issues="write")
    opened = scene.ask("POST", f"{REPOSITORY}/issues", {"title": "Drift", "labels": ["alarm"]}, token=job)
    path = f"{REPOSITORY}/issues/{opened['number']}"
    scene.ask("PATCH", path, {"body": "Much of it"}, token=job)
    scene.ask("POST", f"{path}/comments", {"body": "I see"})
    [found] = scene.ask("GET", f"{REPOSITORY}/issues?labels=alarm&creator=github-actions%5Bbot%5D")
    assert ("Drift", "Much of it", 1) == (found["title"], found["body"], found["comments"])
    closed = scene.ask("PATCH", path, {"state": "closed"}, token=job)
    assert ("closed", "completed") == (closed["state"], closed["state_reason"])
    assert [] == scene.ask("GET", f"{REPOSITORY}/issues?labels=alarm")
    assert "closed" == scene.ask("GET", path)["state"]


@pytest.mark.parametrize("body", [{}, {"title": " "}, {"title": "x", "body": "x" * 65537}])
def test_issues_that_github_refuses(scene: Scene, body: dict[str, str]) -> None:
    """An issue without a title, or beyond GitHub's limit, is not taken."""
    status, answer = scene.send("POST", f"{REPOSITORY}/issues", body)
    assert (422, "Validation Failed") == (status, answer["message"])


def test_issues_of_others(scene: Scene) -> None:
    """Without the right to write, nobody sets a label, or changes an issue of somebody else."""
    stranger = scene.forge.tokens.for_person("stranger").value
    opened = scene.ask("POST", f"{REPOSITORY}/issues", {"title": "Help", "labels": ["x"]}, token=stranger)
    assert [] == opened["labels"]
    path = f"{REPOSITORY}/issues/{scene.ask('POST', f'{REPOSITORY}/issues', {'title': 'Mine'})['number']}"
    assert 403 == scene.send("PATCH", path, {"state": "closed"}, token=stranger)[0]
    assert 403 == scene.send("POST", f"{REPOSITORY}/issues", {"title": "x"}, token=scene.job())[0]


def test_paging(scene: Scene) -> None:
    """Lists come 30 at a time; links lead to the other pages."""
    branch = scene.commit("long", "long.txt", "")
    body = {"title": "Long", "head": "long", "base": "main"}
    number = scene.ask("POST", f"{REPOSITORY}/pulls", body)["number"]
    assert branch
    for count in range(65):
        scene.repository.add("comments", {"issue": number, "login": "octocat", "body": str(count)})
    path = f"issues/{number}/comments"
    assert [str(count) for count in range(30)] == [comment["body"] for comment in scene.client.get(path)]
    assert ["60", "61"] == [item["body"] for item in scene.client.get(f"{path}?page=31&per_page=2")]
    address = f"{scene.forge.addresses.repository(NAME)}/{path}"
    request = Request(f"{address}?page=2", headers={"Authorization": f"token {scene.owner}"})
    with urlopen(request, context=scene.client.context) as answer:
        links = dict(reversed(link.split("; ")) for link in answer.headers["Link"].split(", "))
    pages = {"prev": 1, "next": 3, "last": 3, "first": 1}
    assert {f'rel="{name}"': f"<{address}?page={page}>" for name, page in pages.items()} == links


def test_life_of_a_pull_request(scene: Scene) -> None:
    """A required check decides whether a pull request is merged; then its base has moved."""
    sha = scene.commit("life", "life.txt", "1\n")
    opened = scene.ask("POST", f"{REPOSITORY}/pulls", {"title": "Life", "head": "life", "base": "main"})
    path = f"{REPOSITORY}/pulls/{opened['number']}"
    assert 422 == scene.send("POST", f"{REPOSITORY}/pulls", {"title": "L", "head": "life", "base": "main"})[0]
    scene.ask("PATCH", path, {"title": "Long life"})
    messages = [scene.send("PUT", f"{path}/merge", {})[1]["message"]]
    scene.pass_check(sha, "failure")
    messages.append(scene.ask("PUT", f"{path}/merge", {})["message"])
    assert "blocked" == scene.ask("GET", path)["mergeable_state"]
    scene.pass_check(sha)
    assert 409 == scene.send("PUT", f"{path}/merge", {"sha": "0" * 40})[0]
    scene.ask("GET", f"{REPOSITORY}/commits/{sha}/check-runs")
    assert 404 == scene.send("GET", f"{path}/merge")[0]
    merged = scene.ask("PUT", f"{path}/merge", {"sha": sha})
    assert scene.repository.head("main") == merged["sha"]
    scene.ask("GET", f"{path}/merge")
    pull = scene.ask("GET", path)
    assert ("closed", True, "Long life") == (pull["state"], pull["merged"], pull["title"])
    expected = ['Required status check "gate" is expected.', 'Required status check "gate" is failing.']
    assert expected == messages


def test_conflict(scene: Scene) -> None:
    """What cannot be merged says so, and starts no run."""
    scene.commit("first", "conflict.txt", "1\n")
    scene.commit("second", "conflict.txt", "2\n")
    scene.git("checkout", "--quiet", "main")
    scene.ask("POST", f"{REPOSITORY}/pulls", {"title": "First", "head": "first", "base": "main"})
    number = scene.ask("POST", f"{REPOSITORY}/pulls", {"title": "2", "head": "second", "base": "first"})[
        "number"
    ]
    scene.forge.events.clear()
    scene.forge.notice_pushes("octocat")
    assert "dirty" == scene.ask("GET", f"{REPOSITORY}/pulls/{number}")["mergeable_state"]
    assert 405 == scene.send("PUT", f"{REPOSITORY}/pulls/{number}/merge", {})[0]


def test_pull_request_of_a_fork(scene: Scene) -> None:
    """A fork's branch is found by its owner's name, and its commit is there to be checked out."""
    sha = scene.commit("theirs", "theirs.txt", "1\n", remote="fork")
    stranger = scene.forge.tokens.for_person("stranger").value
    body = {"title": "Theirs", "head": "stranger:theirs", "base": "main"}
    opened = scene.ask("POST", f"{REPOSITORY}/pulls", body, token=stranger)
    found = scene.ask("GET", f"{REPOSITORY}/pulls?head=stranger:theirs")
    assert [(sha, "stranger/flights")] == [
        (pull["head"]["sha"], pull["head"]["repo"]["full_name"]) for pull in found
    ]
    reference = scene.ask("GET", f"{REPOSITORY}/git/ref/pull/{opened['number']}/head")
    assert sha == reference["object"]["sha"]
    newer = scene.commit("theirs", "theirs.txt", "2\n", remote="fork")
    assert newer == scene.ask("GET", f"{REPOSITORY}/pulls/{opened['number']}")["head"]["sha"]


def test_events(scene: Scene) -> None:
    """The runner hears of pushes and of pull requests, once each."""
    scene.forge.notice_pushes("octocat")
    scene.forge.events.clear()
    scene.commit("news", "news.txt", "1\n")
    body = {"title": "News", "head": "news", "base": "main"}
    number = scene.ask("POST", f"{REPOSITORY}/pulls", body)["number"]
    scene.commit("news", "news.txt", "2\n")
    scene.forge.notice_pushes("octocat")
    scene.ask("PATCH", f"{REPOSITORY}/pulls/{number}", {"state": "closed"})
    scene.ask("PATCH", f"{REPOSITORY}/pulls/{number}", {"state": "open"})
    told = [(event.name, event.payload.get("action")) for event in scene.forge.events]
    actions = ["opened", "synchronize", "closed", "reopened"]
    pulls = [("pull_request", action) for action in actions]
    assert [("push", None), pulls[0], ("push", None), *pulls[1:]] == told


def test_jobs_start_nothing(scene: Scene) -> None:
    """What a job's token does starts no run, but for a dispatch."""
    scene.commit("quiet", "quiet.txt", "1\n")
    scene.forge.overlook_pushes()
    scene.forge.events.clear()
    token = scene.job(pull_requests="write", actions="write")
    body = {"title": "Quiet", "head": "quiet", "base": "main"}
    scene.ask("POST", f"{REPOSITORY}/pulls", body, token=token)
    scene.forge.notice_pushes("octocat")
    assert [] == list(scene.forge.events)
    path = f"{REPOSITORY}/actions/workflows/train.yml/dispatches"
    scene.ask("POST", path, {"ref": "quiet", "inputs": {"seed": "1"}}, token=token)
    [event] = scene.forge.events
    assert ("workflow_dispatch", "quiet", ".github/workflows/train.yml") == (
        event.name,
        event.head_branch,
        event.workflow,
    )
    scene.forge.events.clear()


@pytest.mark.parametrize(
    ("workflow", "ref", "status"),
    [("silent.yml", "main", 422), ("no.yml", "main", 404), ("train.yml", "no", 422)],
)
def test_dispatch_refused(scene: Scene, workflow: str, ref: str, status: int) -> None:
    """Only a workflow that allows it is started by hand, on a branch that exists."""
    path = f"{REPOSITORY}/actions/workflows/{workflow}/dispatches"
    assert status == scene.send("POST", path, {"ref": ref})[0]


def test_artifact(scene: Scene) -> None:
    """An artifact is listed with its run, and its archive is one redirect away."""
    run = scene.ask("GET", f"{REPOSITORY}/actions/runs/{scene.run['id']}")
    listed = scene.ask("GET", f"{REPOSITORY}/actions/runs/{run['id']}/artifacts?name=report")
    [artifact] = listed["artifacts"]
    scene.ask("GET", f"{REPOSITORY}/actions/artifacts/{artifact['id']}")
    archive = zipfile.ZipFile(io.BytesIO(scene.client.download(artifact["archive_download_url"])))
    assert b"# Report\n" == archive.read("report.md")
    assert [1] == [pull["number"] for pull in run["pull_requests"]]


def test_signed_addresses(scene: Scene) -> None:
    """A file is sent to whoever has its signed address, and to nobody else."""
    address = scene.forge.files.address("artifacts", scene.artifact["id"])
    for wrong in (address[:-1] + "z", address.partition("?")[0]):
        with pytest.raises(HTTPError, match="404"):
            urlopen(wrong, context=scene.client.context)
    with urlopen(address, context=scene.client.context) as answer:
        assert 200 == answer.status


def test_release(scene: Scene) -> None:
    """A release tags a commit; its assets come back byte for byte."""
    body = {"tag_name": "model-v1", "target_commitish": "main", "name": "Model 1"}
    assert 404 == scene.send("GET", f"{REPOSITORY}/releases/latest")[0]
    release = scene.ask("POST", f"{REPOSITORY}/releases", body)
    assert 422 == scene.send("POST", f"{REPOSITORY}/releases", body)[0]
    address = release["upload_url"].partition("{")[0]
    content = bytes(range(256))
    words = (content, "application/gzip", "application/json")
    asset = json.loads(scene.client.send_bytes("POST", f"{address}?name=bundle.tar.gz", *words))
    check_answer("POST", f"{REPOSITORY}/releases/{release['id']}/assets", 201, asset)
    assert f"sha256:{sha256(content).hexdigest()}" == asset["digest"]
    with pytest.raises(ClientError, match="422"):
        scene.client.send_bytes("POST", f"{address}?name=bundle.tar.gz", *words)
    scene.ask("GET", f"{REPOSITORY}/releases/assets/{asset['id']}")
    scene.ask("GET", f"{REPOSITORY}/releases/{release['id']}/assets")
    ids = [
        scene.ask("GET", f"{REPOSITORY}/releases/{path}")["id"]
        for path in ("latest", "tags/model-v1", release["id"])
    ]
    assert [release["id"]] * 3 == ids
    assert content == scene.client.download(f"releases/assets/{asset['id']}")
    assert scene.repository.head("main") == scene.ask("GET", f"{REPOSITORY}/commits/model-v1")["sha"]


def test_draft(scene: Scene) -> None:
    """A draft has no tag and is not found by one, until it is published; then it can be forgotten."""
    body = {"tag_name": "model-v9", "target_commitish": "main", "draft": True}
    draft = scene.ask("POST", f"{REPOSITORY}/releases", body)
    tagged = f"{REPOSITORY}/releases/tags/model-v9"
    assert 404 == scene.send("GET", tagged)[0]
    assert 404 == scene.send("GET", f"{REPOSITORY}/git/ref/tags/model-v9")[0]
    published = scene.ask("PATCH", f"{REPOSITORY}/releases/{draft['id']}", {"draft": False, "body": "Card"})
    assert (False, "Card") == (published["draft"], published["body"])
    assert draft["id"] == scene.ask("GET", tagged)["id"]
    scene.ask("DELETE", f"{REPOSITORY}/releases/{draft['id']}")
    assert 404 == scene.send("GET", tagged)[0]
    matching = f"{REPOSITORY}/git/matching-refs/tags/model-v"
    assert "refs/tags/model-v9" in [one["ref"] for one in scene.ask("GET", matching)]
    assert [] == scene.ask("GET", f"{REPOSITORY}/git/matching-refs/tags/other")
    scene.ask("DELETE", f"{REPOSITORY}/git/refs/tags/model-v9")
    assert 422 == scene.send("DELETE", f"{REPOSITORY}/git/refs/tags/model-v9")[0]


def test_new_branch(scene: Scene) -> None:
    """A branch is made at a commit that exists, once."""
    body = {"ref": "refs/heads/new", "sha": scene.repository.head("main")}
    scene.ask("POST", f"{REPOSITORY}/git/refs", body)
    assert scene.repository.head("main") == scene.repository.head("new")
    bad = [body, {**body, "ref": "refs/heads/a b"}, {**body, "ref": "refs/heads/b", "sha": "0" * 40}]
    assert [422, 422, 422] == [scene.send("POST", f"{REPOSITORY}/git/refs", each)[0] for each in bad]


REQUESTS = {
    "contents: read": ("GET", "/contents/params.yaml", None),
    "pull-requests: read": ("GET", "/pulls/1", None),
    "actions: read": ("GET", "/actions/runs", None),
    "checks: read": ("GET", "/commits/main/check-runs", None),
    "contents: write": ("POST", "/git/refs", {"ref": "refs/heads/job", "sha": "0" * 40}),
    "pull-requests: write": ("PATCH", "/pulls/1", {"title": "Better"}),
    "actions: write": ("POST", "/actions/workflows/silent.yml/dispatches", {"ref": "main"}),
}


@pytest.mark.parametrize("right", list(REQUESTS))
def test_rights(scene: Scene, right: str) -> None:
    """Each request of a job needs the one right that GitHub asks for; no other opens it."""
    method, path, body = REQUESTS[right]
    scope, level = right.split(": ")
    others = {"contents", "pull-requests", "issues", "actions", "checks"} - {scope}
    wrong = dict.fromkeys(others, "write") | ({scope: "read"} if level == "write" else {})
    closed = scene.forge.tokens.for_job(NAME, wrong).value
    status, answer = scene.send(method, REPOSITORY + path, body, token=closed)
    assert (403, "Resource not accessible by integration") == (status, answer["message"])
    opened = scene.forge.tokens.for_job(NAME, {scope: level}).value
    assert scene.send(method, REPOSITORY + path, body, token=opened)[0] in (200, 201, 204, 422)


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("rights", [{}, {"contents": "read"}, {"contents": "write", "issues": "read"}])
def test_reader_cannot_comment(scene: Scene, method: str, rights: dict[str, str]) -> None:
    """A job that may only read cannot write, change or remove a comment."""
    record = {"issue": 1, "login": "github-actions[bot]", "body": "Report"}
    comment = scene.repository.add("comments", record)
    path = "issues/1/comments" if method == "POST" else f"issues/comments/{comment['id']}"
    token = scene.job(**rights)
    status, answer = scene.send(method, f"{REPOSITORY}/{path}", {"body": "Forged"}, token=token)
    assert (403, "Resource not accessible by integration") == (status, answer["message"])
    assert "Report" == scene.repository.get("comments", comment["id"])["body"]


@pytest.mark.parametrize("scope", ["issues", "pull-requests"])
def test_either_right_comments(scene: Scene, scope: str) -> None:
    """A pull request's comments are open to either of the two rights."""
    token = scene.forge.tokens.for_job(NAME, {scope: "write"}).value
    comment = scene.ask("POST", f"{REPOSITORY}/issues/1/comments", {"body": "Report"}, token=token)
    assert ("github-actions[bot]", "Bot") == (comment["user"]["login"], comment["user"]["type"])


def test_strangers(scene: Scene) -> None:
    """A stranger may comment and change that, but neither what others say nor the repository."""
    stranger = scene.forge.tokens.for_person("stranger").value
    path = f"{REPOSITORY}/issues"
    theirs = scene.ask("POST", f"{path}/1/comments", {"body": "Mine"}, token=stranger)
    ours = scene.ask("POST", f"{path}/1/comments", {"body": "Ours"})
    changes = [
        scene.send("PATCH", f"{path}/comments/{each['id']}", {"body": "x"}, stranger)[0]
        for each in (theirs, ours)
    ]
    assert [200, 403] == changes
    assert 403 == scene.send("PUT", f"{REPOSITORY}/pulls/1/merge", {}, stranger)[0]
    assert 403 == scene.send("PATCH", f"{REPOSITORY}/pulls/1", {"title": "Mine"}, stranger)[0]


@pytest.mark.parametrize(
    ("token", "message"), [("wrong", "Bad credentials"), (" ", "Requires authentication")]
)
def test_bad_tokens(scene: Scene, token: str, message: str) -> None:
    """A wrong token, or none, is a 401."""
    status, answer = scene.send("GET", REPOSITORY, token=token)
    assert (401, message) == (status, answer["message"])


def test_token_of_another_repository(scene: Scene) -> None:
    """A job's token writes to its own repository alone, and to nothing when its run has ended."""
    token = scene.forge.tokens.for_job("stranger/flights", {"contents": "write"})
    body = {"ref": "refs/heads/x", "sha": "0" * 40}
    assert 403 == scene.send("POST", f"{REPOSITORY}/git/refs", body, token.value)[0]
    assert 200 == scene.send("GET", f"{REPOSITORY}/contents", None, token.value)[0]
    scene.forge.tokens.withdraw(token)
    assert 401 == scene.send("GET", f"{REPOSITORY}/contents", None, token.value)[0]


def test_bad_json(scene: Scene) -> None:
    """A body that is no JSON is a 400."""
    with pytest.raises(ClientError, match="Problems parsing JSON"):
        scene.client.send_bytes("POST", "issues/1/comments", b"{", "application/json", "application/json")


def test_loopback_only(scene: Scene) -> None:
    """The forge listens where nobody else can hear it, and ends with its block."""
    with Forge(scene.work.parent / "other") as forge:
        bound = forge._socket.getsockname()
        assert "127.0.0.1" == bound[0]
    with pytest.raises(OSError, match="refused"):
        urlopen(f"{forge.addresses.server}/", context=scene.client.context)


def gh(scene: Scene, home: Path, *words: str, token: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run the real gh against the forge."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GH_", "GITHUB_"))}
    server = {"GH_HOST": scene.forge.host, "GH_ENTERPRISE_TOKEN": token or scene.owner}
    where = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "SSL_CERT_FILE": str(scene.forge.authority)}
    command = [tool("gh"), "api", *words]
    return subprocess.run(command, env={**kept, **server, **where}, capture_output=True)


def test_gh_reads(scene: Scene, tmp_path: Path) -> None:
    """The real gh reads raw files, and all pages of a list."""
    raw = gh(
        scene, tmp_path, f"{REPOSITORY}/contents/params.yaml", "-H", "Accept: application/vnd.github.raw+json"
    )
    assert b"seed: 1\n" == raw.stdout, raw.stderr
    comment = {"issue": 1, "login": "octocat", "body": "x"}
    while len([each for each in scene.repository.list("comments") if each["issue"] == 1]) < 31:
        scene.repository.add("comments", comment)
    pages = gh(scene, tmp_path, f"{REPOSITORY}/issues/1/comments", "--paginate", "--jq", ".[].id")
    known = [each["id"] for each in scene.repository.list("comments") if each["issue"] == 1]
    assert known == [int(line) for line in pages.stdout.split()], pages.stderr


def test_gh_downloads(scene: Scene, tmp_path: Path) -> None:
    """The real gh follows the way to an archive and to an asset, and uploads one."""
    path = f"{REPOSITORY}/actions/artifacts/{scene.artifact['id']}/zip"
    archive = zipfile.ZipFile(io.BytesIO(gh(scene, tmp_path, path).stdout))
    assert b"# Report\n" == archive.read("report.md")
    release = scene.ask("POST", f"{REPOSITORY}/releases", {"tag_name": "model-v9"})
    (tmp_path / "bundle").write_bytes(b"\0\1\2")
    address = f"{release['upload_url'].partition('{')[0]}?name=bundle"
    upload = gh(scene, tmp_path, "--method", "POST", address, "--input", str(tmp_path / "bundle"))
    asset = f"{REPOSITORY}/releases/assets/{json.loads(upload.stdout)['id']}"
    assert b"\0\1\2" == gh(scene, tmp_path, asset, "-H", "Accept: application/octet-stream").stdout


def test_gh_is_refused(scene: Scene, tmp_path: Path) -> None:
    """The real gh fails, and says why, where a right is missing."""
    words = (f"{REPOSITORY}/issues/1/comments", "-f", "body=Forged")
    refused = gh(scene, tmp_path, *words, token=scene.job(contents="read"))
    assert 1 == refused.returncode
    assert b"Resource not accessible by integration (HTTP 403)" in refused.stderr


def test_description_is_strict(scene: Scene) -> None:
    """An answer that lacks something, or is null somewhere deep inside, is not taken for GitHub's."""
    pull = scene.ask("GET", f"{REPOSITORY}/pulls/1")
    head = {**pull["head"], "repo": {**pull["head"]["repo"], "full_name": None}}
    for wrong in (
        {**pull, "head": head},
        {name: value for name, value in pull.items() if name != "mergeable"},
    ):
        with pytest.raises(ValidationError):
            check_answer("GET", f"{REPOSITORY}/pulls/1", 200, wrong)


def test_required_fields_are_github_s() -> None:
    """``required.json`` says what GitHub does; ``python -m rehearsal.forge.description`` renews it."""
    assert collect_required(read_description()) == json.loads(FILE.read_text(encoding="utf-8"))


def test_known_fields_lie_over_required_ones() -> None:
    """An answer shows what is remembered and known, however deep, and is empty elsewhere."""
    shown = complete("git-ref", {"ref": "x", "secret": 1}, object={"sha": "y"})
    assert {
        "ref": "x",
        "node_id": "",
        "url": "",
        "object": {"type": "", "sha": "y", "url": ""},
    } == shown
