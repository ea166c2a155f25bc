"""A release is made of what says one version, and of the wheel that the template brings along."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from rehearsal import release
from rehearsal.act import Outcome, act
from rehearsal.client import Client
from rehearsal.forge import Forge
from rehearsal.release import ReleaseError, check_ready, collect_wheel
from rehearsal.surroundings import tool
from rehearsal.vendor import FOLDER, ROOT, find_wheel
from rehearsal.wheel import renew_wheel

PERSON = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
PROJECT = """[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
[project]
name = "gitops-ml"
dynamic = ["version", "description"]
requires-python = ">=3.11"
"""
LIBRARY = '"""A library."""\n\n__version__ = "0.2.0"\nSPEED = 1\n'
CHANGES = "# Changelog\n\n## 0.2.0 (2026-12-01)\n\n- Faster.\n\n## 0.1.0\n\n- First.\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small repository that is ready to be released."""
    root = tmp_path / "root"
    for name, text in {
        "pyproject.toml": PROJECT,
        "src/gitops_ml/__init__.py": LIBRARY,
        "CHANGELOG.md": CHANGES,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    renew_wheel(root)
    git(root, "init", "--quiet", "--initial-branch", "main")
    commit(root)
    return root


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", *PERSON, *words], cwd=root, check=True)


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "Prepare a release")


def edit(root: Path, name: str, before: str, after: str) -> None:
    text = (root / name).read_text()
    assert before in text
    (root / name).write_text(text.replace(before, after))


def test_ready(root: Path) -> None:
    """Where all is well, two commands are left to a person."""
    expected = (
        "Version 0.2.0 can be released:\n"
        '  git tag --annotate v0.2.0 --message "Version 0.2.0"\n'
        "  git push --atomic origin main v0.2.0"
    )
    assert expected == check_ready(root)


@pytest.mark.parametrize(
    ("name", "before", "after", "expected"),
    [
        ("src/gitops_ml/__init__.py", "0.2.0", "0.3.0", "gitops_ml-0.2.0-py3-none-any.whl"),
        ("src/gitops_ml/__init__.py", "SPEED = 1", "SPEED = 2", "not made of src/: gitops_ml/__init__.py"),
        (f"{FOLDER}/requirements.txt", "0.2.0", "0.1.0", "does not pin"),
        (f"{FOLDER}/requirements.txt", "sha256:", "sha256:0", "does not pin"),
        ("CHANGELOG.md", "0.2.0 (2026-12-01)", "Unreleased", "begins with Unreleased"),
        ("CHANGELOG.md", "- Faster.", "", "says nothing of 0.2.0"),
        ("CHANGELOG.md", "#", "", "begins with nothing"),
    ],
)
def test_what_differs(root: Path, name: str, before: str, after: str, expected: str) -> None:
    """Library, wheel, pin and changelog must agree; the first that does not is named."""
    edit(root, name, before, after)
    commit(root)
    with pytest.raises(ReleaseError, match=expected):
        check_ready(root)


def test_two_wheels(root: Path) -> None:
    """The template brings one wheel along."""
    shutil.copy(find_wheel(root), root / FOLDER / "gitops_ml-0.1.0-py3-none-any.whl")
    with pytest.raises(ReleaseError, match="should hold one wheel: run 'make wheel'"):
        check_ready(root)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("switch", "--quiet", "--create", "better"), "this is better, releases are made of main"),
        (("tag", "v0.2.0"), "v0.2.0 has been released"),
    ],
)
def test_where_it_stands(root: Path, words: tuple[str, ...], expected: str) -> None:
    """Releases are made of main, each once."""
    git(root, *words)
    with pytest.raises(ReleaseError, match=expected):
        check_ready(root)


def test_uncommitted_changes(root: Path) -> None:
    """What is not committed would not be released."""
    (root / "new.txt").write_text("")
    with pytest.raises(ReleaseError, match="not committed"):
        check_ready(root)


def test_collecting(root: Path, tmp_path: Path) -> None:
    """The template's own wheel is published, since bakes pin its hash; the notes are the changelog's."""
    built = tmp_path / find_wheel(root).name
    repack(find_wheel(root), built)
    assert find_wheel(root).read_bytes() != built.read_bytes()
    assert "- Faster." == collect_wheel(root, "v0.2.0", tmp_path)
    assert find_wheel(root).read_bytes() == built.read_bytes()


def repack(wheel: Path, target: Path) -> None:
    """Compress the members of a wheel differently, as another zlib would."""
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as copy:
        for name in source.namelist():
            copy.writestr(name, source.read(name))


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("v0.3.0", "the tag is v0.3.0, src/gitops_ml/__init__.py says 0.2.0"), ("v0.2.0", "has no gitops_ml")],
)
def test_not_collected(root: Path, tmp_path: Path, tag: str, expected: str) -> None:
    """A tag of another version releases nothing, nor does an empty folder."""
    with pytest.raises(ReleaseError, match=expected):
        collect_wheel(root, tag, tmp_path)


def test_another_build_is_not_collected(root: Path, tmp_path: Path) -> None:
    """A wheel that the sources give, but the template does not have, is not published."""
    shutil.copytree(root, tmp_path / "other")
    edit(tmp_path / "other", "src/gitops_ml/__init__.py", "SPEED = 1", "SPEED = 2")
    shutil.copy(renew_wheel(tmp_path / "other"), tmp_path)
    with pytest.raises(ReleaseError, match="is not made of src/"):
        collect_wheel(root, "v0.2.0", tmp_path)


def test_errors_are_one_sentence(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with status 1 and one sentence."""
    monkeypatch.setattr(release, "ROOT", root)
    assert 1 == release.main(["collect", "v1", str(root)])
    assert "Error: the tag is v1, src/gitops_ml/__init__.py says 0.2.0: expected v0.2.0.\n" == (
        capsys.readouterr().err
    )
    assert 0 == release.main(["ready"])


# In place of uv: what would go to the index is looked at, and noted.
UV = """#!/bin/sh
[ "$1" = publish ] || exec '{uv}' "$@"
echo "$@" > "$PUBLISHED"
exec '{uv}' publish --dry-run --token none dist/*
"""
# The real one, which finds the forge in place of GitHub.
GH = """#!/bin/sh
GH_HOST={host} GH_ENTERPRISE_TOKEN={token} SSL_CERT_FILE='{authority}' exec '{gh}' "$@"
"""
NAME = "octocat/cookiecutter-gitops-ml"


@dataclass
class Dry:
    """A release that nobody sees."""

    root: Path
    version: str
    outcome: Outcome
    published: list[str]
    release: dict[str, Any]
    assets: dict[str, bytes]


@pytest.fixture(scope="module")
def dry(tmp_path_factory: pytest.TempPathFactory) -> Dry:
    """What the real workflow makes of this repository, as if its changelog had been finished."""
    folder = tmp_path_factory.mktemp("dry")
    root = folder / "root"
    copy_repository(root)
    version = release.read_version(root)
    with Forge(folder / "forge") as forge:
        repository = forge.create(NAME)
        git(root, "push", "--quiet", str(repository.path), "main", f"v{version}")
        programs = lay_programs(folder / "programs", forge)
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "UV_FOLDER": str(programs),
            "PUBLISHED": str(folder / "published"),
        }
        outcome = run_release(root, folder / "run", f"v{version}", environment)
        client = Client(forge.addresses.repository(NAME), token(forge), forge.authority)
        told = client.get(f"releases/tags/v{version}")
        assets = {one["name"]: client.download(one["url"]) for one in told["assets"]}
    return Dry(root, version, outcome, (folder / "published").read_text().split(), told, assets)


def run_release(root: Path, folder: Path, tag: str, environment: dict[str, str]) -> Outcome:
    """Run the workflow as if a tag had been pushed."""
    how = ("push", "-W", ".github/workflows/release.yml", "-s", "GITHUB_TOKEN=hush")
    return act(root, folder, *how, event={"ref": f"refs/tags/{tag}"}, environment=environment)


def copy_repository(root: Path) -> None:
    """Copy what Git would commit, with a wheel and a changelog as they are at a release."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    version = release.read_version(root)
    renew_wheel(root)
    changes = (root / "CHANGELOG.md").read_text()
    (root / "CHANGELOG.md").write_text(re.sub("^## .*", f"## {version}", changes, count=1, flags=re.M))
    git(root, "init", "--quiet", "--initial-branch", "main")
    commit(root)
    git(root, "tag", f"v{version}")
    git(root, "remote", "add", "origin", f"https://github.com/{NAME}.git")


def lay_programs(folder: Path, forge: Forge) -> Path:
    """Put a uv and a gh where the workflow finds them first."""
    folder.mkdir()
    uv = shutil.which("uv") or tool("uv")
    gh = {"host": forge.host, "token": token(forge), "authority": forge.authority, "gh": tool("gh")}
    for name, text in {"uv": UV.format(uv=uv), "gh": GH.format(**gh)}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def token(forge: Forge) -> str:
    return forge.tokens.for_job(NAME, {"contents": "write"}).value


def test_all_jobs_succeed(dry: Dry) -> None:
    """What is built is tried in an empty environment, attested, published and released."""
    assert dict.fromkeys(["build", "try", "attest", "publish", "release"], "success") == dry.outcome.jobs
    assert f"gitops-ml {dry.version}\n" in dry.outcome.log
    for name in dry.assets:
        assert f"Attested the provenance of {name}@sha256:" in dry.outcome.log


def test_what_is_published(dry: Dry) -> None:
    """The index gets the wheel whose hash bakes pin, and the sources; it is shown no password."""
    wheel, sources = f"gitops_ml-{dry.version}-py3-none-any.whl", f"gitops_ml-{dry.version}.tar.gz"
    trusted = ["--trusted-publishing", "always"]
    assert ["publish", *trusted, f"dist/{wheel}", f"dist/{sources}"] == dry.published
    assert {wheel, sources} == set(dry.assets)
    pin = (dry.root / FOLDER / "requirements.txt").read_text()
    assert f"gitops-ml=={dry.version} --hash=sha256:{sha256(dry.assets[wheel]).hexdigest()}\n" in pin


def test_the_release_says_what_is_new(dry: Dry) -> None:
    """The notes are the changelog's; the tag is the one that was pushed."""
    assert (f"v{dry.version}", False) == (dry.release["name"], dry.release["draft"])
    assert release.read_notes(dry.root) == dry.release["body"].strip()


def test_a_wrong_tag_is_not_released(dry: Dry, tmp_path: Path) -> None:
    """A tag that does not name the version ends before anything has left the machine."""
    outcome = run_release(dry.root, tmp_path / "run", "v99.0", {})
    assert {"build": "failure"} == outcome.jobs
    assert f"Error: the tag is v99.0, src/gitops_ml/__init__.py says {dry.version}" in outcome.log
