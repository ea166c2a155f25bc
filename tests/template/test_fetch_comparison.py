"""What a run is compared with comes from the server, whole and checked, or the run says why not."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from baking import list_files
from rehearsal.bake import ROOT
from rehearsal.forge import Forge
from rehearsal.surroundings import tool
from reporting import OWNER, Stage, set_stage

ACTION = ROOT / "{{cookiecutter.__project_slug}}/.github/actions/fetch-comparison/action.yml"
BASE = {"params.yaml": "seed: 1\n", "data.lock": "files: []\n"}
GOOD = {"bundle/MANIFEST.json": b"{}", "bundle/deep/model.skops": b"model"}


def pack(files: dict[str, bytes], *members: tarfile.TarInfo) -> bytes:
    """Return a bundle's archive, with some unusual members after the files."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as file:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
        for member in members:
            file.addfile(member)
    return archive.getvalue()


def unusual(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """Return a member that is no file."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@dataclass
class Fetching:
    """A forge, a workspace, and the action's own script."""

    stage: Stage
    workspace: Path

    def deploy(self, archive: bytes | None, asset: str = "bundle.tar.gz", **model: Any) -> None:
        """Release a bundle and name it on the branch production."""
        client = self.stage.client(self.stage.forge.tokens.for_person(OWNER).value)
        version = next(self.stage.counter) + 1
        known = {"version": version, "bundle_sha256": sha256(archive or b"").hexdigest()}
        self.write("production", {"model.json": json.dumps(known | model)})
        if archive is None:
            return
        release = client.post("releases", tag_name=f"model-v{version}", target_commitish="main")["id"]
        digest = {"digest": f"sha256:{known['bundle_sha256']}", "login": OWNER, "label": ""}
        facts = {"release": release, "name": asset, "size": len(archive), "content_type": "application/gzip"}
        record = self.stage.repository.add("assets", facts | digest)
        self.stage.forge.files.path("assets", record["id"]).write_bytes(archive)

    def write(self, branch: str, files: dict[str, str]) -> None:
        """Push a branch that holds just these files."""
        git = self.stage.git
        git("checkout", "--quiet", "--orphan", "other")
        git("rm", "-rfq", "--ignore-unmatch", ".")
        for name, text in files.items():
            (self.stage.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.stage.work / name).write_text(text)
        git("add", "--all")
        git("commit", "--quiet", "--message", "Write")
        git("push", "--quiet", "--force", str(self.stage.repository.path), f"HEAD:refs/heads/{branch}")
        git("checkout", "--quiet", "--force", "main")
        git("branch", "--quiet", "-D", "other")

    def run(self, base: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the script as the runner would."""
        [step] = yaml.safe_load(ACTION.read_text())["runs"]["steps"]
        token = self.stage.forge.tokens.for_job(self.stage.repository.name, {"contents": "read"}).value
        known = {
            "BASE": base,
            "GH_TOKEN": token,
            "GH_ENTERPRISE_TOKEN": token,
            "GITHUB_REPOSITORY": self.stage.repository.name,
            "GITHUB_SERVER_URL": self.stage.forge.addresses.server,
            "HOME": str(self.workspace.parent),
            "PATH": f"{Path(tool('gh')).parent}:{os.environ['PATH']}",
            "SSL_CERT_FILE": str(self.stage.forge.authority),
            "TMPDIR": str(self.workspace.parent / "temporary"),
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        ended = subprocess.run(
            command, cwd=self.workspace, env=known | environment, capture_output=True, text=True
        )
        assert [] == list_files(self.workspace.parent / "temporary")
        return ended

    def refuse(self, **environment: str) -> str:
        """Run the script, which must fail with one sentence, and return that."""
        ended = self.run(**environment)
        assert 1 == ended.returncode, ended.stderr
        [sentence] = [line for line in ended.stdout.splitlines() if line.startswith("::error::")]
        return sentence.removeprefix("::error::")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A repository whose default branch holds what every project has there."""
    folder = tmp_path_factory.mktemp("fetching")
    project = folder / "project"
    project.mkdir()
    for name, text in BASE.items():
        (project / name).write_text(text)
    with Forge(folder / "forge") as forge:
        yield set_stage(forge, project, folder)


@pytest.fixture
def fetching(stage: Stage, tmp_path: Path) -> Fetching:
    """An empty workspace, before anything was deployed."""
    if stage.repository.head("production"):
        stage.git("push", "--quiet", str(stage.repository.path), "--delete", "production")
    (tmp_path / "workspace").mkdir()
    (tmp_path / "temporary").mkdir()
    return Fetching(stage, tmp_path / "workspace")


def test_nothing_deployed(fetching: Fetching) -> None:
    """Without a branch production there is no champion, and that is no error."""
    ended = fetching.run("main")
    assert 0 == ended.returncode, ended.stderr
    assert "There is no champion yet" in ended.stdout
    assert ["base/data.lock", "base/params.yaml", "base/protected.txt"] == list_files(fetching.workspace)
    assert BASE["params.yaml"] == (fetching.workspace / "base/params.yaml").read_text()


def test_what_judges_a_change(fetching: Fetching) -> None:
    """Hash and path of each file of .github/ and vendor/, as the library reads them, and of no other."""
    texts = {
        ".github/workflows/a b.yml": "on: push\n",
        "vendor/x.whl": "wheel",
        "src/vendor/x": "",
        "vendors": "",
    }
    fetching.write("release/#1", texts)
    assert 0 == fetching.run("release/#1").returncode
    listed = (fetching.workspace / "base/protected.txt").read_text().splitlines()
    assert [f"{digest_blob(texts[path])} {path}" for path in list(texts)[:2]] == listed


def digest_blob(text: str) -> str:
    """Return the name that Git gives to a content."""
    return sha1(f"blob {len(text)}\0{text}".encode()).hexdigest()


def test_base_that_is_gone(fetching: Fetching) -> None:
    """A branch that does not exist is nothing to compare with, and no error."""
    assert 0 == fetching.run("gone").returncode
    assert [] == list_files(fetching.workspace)


def test_production_without_model(fetching: Fetching) -> None:
    """A branch production that names no model, and a base without these files, are no error."""
    fetching.write("production", {"README.md": "soon"})
    assert 0 == fetching.run("production").returncode
    assert ["base/protected.txt"] == list_files(fetching.workspace)


def test_champion(fetching: Fetching) -> None:
    """The champion's bundle is fetched; nothing of the commit's own passes for it."""
    for name in ("champion/bundle", "base"):
        (fetching.workspace / name).mkdir(parents=True)
        (fetching.workspace / name / "false").write_text("false")
    fetching.deploy(pack(GOOD), verdict="better")
    ended = fetching.run()
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    files = ["champion/bundle/MANIFEST.json", "champion/bundle/deep/model.skops", "champion/model.json"]
    assert files == list_files(fetching.workspace)
    assert "better" == json.loads((fetching.workspace / "champion/model.json").read_text())["verdict"]


def test_link_of_the_commit(fetching: Fetching) -> None:
    """A link that the commit brings does not lead out of the workspace."""
    outside = fetching.workspace.parent / "outside"
    outside.mkdir()
    for name in ("champion", "base"):
        (fetching.workspace / name).symlink_to(outside)
    fetching.deploy(pack(GOOD))
    assert 0 == fetching.run("main").returncode
    assert [] == list_files(outside)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ({"version": "3/../../x"}, "should name a whole number and a SHA-256"),
        ({"version": 1.5}, "should name a whole number"),
        ({"version": True}, "should name a whole number"),
        ({"bundle_sha256": "0"}, "should name a whole number and a SHA-256"),
        ({"version": 1, "bundle_sha256": "0" * 64 + "\n::error::twice"}, "should name a whole number"),
        ({"version": 999_999_999}, "Cannot read the release model-v999999999"),
        ({"bundle_sha256": "0" * 64}, "its SHA-256 differs"),
    ],
)
def test_wrong_model(fetching: Fetching, model: dict[str, Any], expected: str) -> None:
    """A model.json that does not name a bundle stops the run, and never gets into a path."""
    fetching.deploy(pack(GOOD), **model)
    assert expected in fetching.refuse()


@pytest.mark.parametrize("text", ["", "[]", "{}", "no JSON", '{"version": 1}'])
def test_broken_model(fetching: Fetching, text: str) -> None:
    """A model.json that cannot be read stops the run."""
    fetching.write("production", {"model.json": text})
    assert "model.json of branch production names no version and bundle_sha256" in fetching.refuse()


def test_no_asset(fetching: Fetching) -> None:
    """A release without its bundle stops the run."""
    fetching.deploy(pack(GOOD), asset="other.tar.gz")
    assert "has no bundle.tar.gz" in fetching.refuse()


MORE = "holds more than files under bundle/"


@pytest.mark.parametrize(
    ("archive", "expected"),
    [
        pytest.param(pack({**GOOD, "bundle/../../evil": b"x"}), MORE, id="climbing"),
        pytest.param(pack({**GOOD, "/evil": b"x"}), MORE, id="absolute"),
        pytest.param(pack({**GOOD, "evil": b"x"}), MORE, id="elsewhere"),
        pytest.param(pack({**GOOD, "bundle\nx/evil": b"x"}), MORE, id="newline"),
        pytest.param(pack(GOOD, unusual("bundle/evil", tarfile.SYMTYPE, "/etc")), MORE, id="link"),
        pytest.param(pack(GOOD, unusual("bundle/evil", tarfile.LNKTYPE, "/etc/hosts")), MORE, id="hard"),
        pytest.param(pack(GOOD, unusual("bundle/evil", tarfile.CHRTYPE)), MORE, id="device"),
        pytest.param(pack(GOOD, unusual("bundle/evil", tarfile.FIFOTYPE)), MORE, id="pipe"),
        pytest.param(pack({}), "is empty", id="empty"),
        pytest.param(b"no archive", "cannot be read", id="garbage"),
    ],
)
def test_wrong_archive(fetching: Fetching, archive: bytes, expected: str) -> None:
    """An archive that holds anything but a bundle stops the run before it is unpacked."""
    fetching.deploy(archive)
    assert expected in fetching.refuse()
    assert ["champion/model.json"] == list_files(fetching.workspace)
    assert [] == list(fetching.workspace.parent.rglob("evil"))


def test_server_that_refuses(fetching: Fetching) -> None:
    """Only what does not exist counts as missing; any other trouble stops the run."""
    assert "Cannot fetch model.json of branch production: " in fetching.refuse(GH_ENTERPRISE_TOKEN="wrong")
    assert "Cannot fetch model.json of branch production: " in fetching.refuse(SSL_CERT_FILE="/dev/null")
