"""The library lies in the template as a wheel: it is made of ``src/``, installs anywhere, and is no other."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from baking import Bake, call, find_uv_first, list_files
from rehearsal.bake import ROOT, clean_environment, commit
from rehearsal.bake import bake as bake_template
from rehearsal.surroundings import tool
from rehearsal.vendor import FOLDER, find_wheel, pin_wheel, read_members
from rehearsal.wheel import build_wheel

# What building the wheel reads.
SOURCES = ["pyproject.toml", "LICENSE", "src/gitops_ml", FOLDER]
# What serving a model needs besides the standard library, with everything that these packages need.
CORE = """
annotated-doc annotated-types anyio click cloudpickle fastapi fsspec h11 httptools idna joblib
markdown-it-py mdurl narwhals numpy opentelemetry-api orjson packaging pandas prettytable
prometheus-client pyarrow pydantic pydantic-core pygments python-dateutil pyyaml rich scikit-learn scipy
shellingham skops starlette threadpoolctl typer typing-extensions typing-inspection tzdata uvicorn uvloop
wcwidth
"""
# A package of one line: it is built and installed at once, and without a network.
TINY = """[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
[project]
name = "gitops-ml"
version = "{version}"
description = "A package."
dependencies = [{needs}]
"""


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was committed of the library and its wheel; all there is, where Git knows nothing."""
    folder = tmp_path_factory.mktemp("committed")
    archive = ["git", "archive", "--format=tar", "HEAD", "--", *SOURCES]
    packed = subprocess.run(archive, cwd=ROOT, env=clean_environment(), capture_output=True, check=False)
    if packed.returncode:
        copy_sources(folder)
    else:
        subprocess.run(["tar", "-x"], cwd=folder, input=packed.stdout, check=True)
    return folder


def copy_sources(folder: Path) -> None:
    """Copy what the wheel is made of."""
    ignore = shutil.ignore_patterns("__pycache__")
    for name in SOURCES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, folder / name)


def test_committed_wheel_is_made_of_the_sources(committed: Path, tmp_path: Path) -> None:
    """Member by member it is what a build of the same commit gives; the pin has its digest."""
    wheel = find_wheel(committed)
    built, kept = read_members(build_wheel(committed, tmp_path)), read_members(wheel)
    stale = sorted(name for name in built.keys() | kept.keys() if built.get(name) != kept.get(name))
    assert [] == stale, "run `make wheel`"
    assert pin_wheel(wheel) == (wheel.parent / "requirements.txt").read_text(encoding="utf-8")


def test_builds_agree(tmp_path: Path) -> None:
    """Path, umask and times of the sources leave no trace in the wheel."""
    wheels = []
    for name, mask, time in (("one", 0o022, 1_000_000_000), ("another", 0o077, 1_700_000_000)):
        folder = tmp_path / name / "checkout"
        folder.mkdir(parents=True)
        before = os.umask(mask)
        try:
            copy_sources(folder)
            for path in folder.rglob("*"):
                path.chmod(0o777 & ~mask if path.is_dir() else 0o666 & ~mask)
                os.utime(path, (time, time))
            wheels.append(describe(build_wheel(folder, tmp_path / name)))
        finally:
            os.umask(before)
    assert wheels[0] == wheels[1]


def describe(wheel: Path) -> list[tuple[str, tuple[int, ...], int, bytes]]:
    """Return name, time, rights and content of each member, in their order."""
    with ZipFile(wheel) as archive:
        return [
            (member.filename, member.date_time, member.external_attr, archive.read(member))
            for member in archive.infolist()
        ]


def test_members(template: Path) -> None:
    """It holds the library and what describes it: no test, and nothing of the template."""
    members = read_members(find_wheel(template))
    assert {"gitops_ml", f"gitops_ml-{read_version(template)}.dist-info"} == {
        name.partition("/")[0] for name in members
    }
    assert [] == [name for name in members if "test_" in name or "conftest" in name]
    assert [] == [name for name, content in members.items() if b"cookiecutter." in content]


def read_version(template: Path) -> str:
    """Return the version of the wheel."""
    return find_wheel(template).name.split("-")[1]


def test_core() -> None:
    """Without its extras the library needs what serving needs: nothing that trains, tracks or draws."""
    assert CORE.split() == sorted(find_closure("gitops-ml"))


def find_closure(name: str) -> set[str]:
    """Return the distributions that one needs on this machine, and those that they need."""
    found: set[str] = set()
    waiting = [Requirement(name)]
    while waiting:
        needed = waiting.pop()
        for text in requires(needed.name) or []:
            requirement = Requirement(text)
            extras = [{"extra": extra} for extra in needed.extras or {""}]
            if any(requirement.marker is None or requirement.marker.evaluate(each) for each in extras):
                if canonicalize_name(requirement.name) not in found or requirement.extras:
                    waiting.append(requirement)
                found.add(canonicalize_name(requirement.name))
    return found


@pytest.fixture(scope="module")
def repository(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template in a repository."""
    folder = tmp_path_factory.mktemp("repository") / "template"
    shutil.copytree(template, folder)
    commit(folder, "Template")
    return folder


@pytest.mark.parametrize("way", ["clone", "zip", "cruft"])
def test_all_ways_give_the_same(way: str, repository: Path, bake: Bake, tmp_path: Path) -> None:
    """From a clone, from an archive, and by cruft, which only adds a note of its own."""
    baked = bake()
    if way == "clone":
        call(tmp_path, "git", "clone", "--quiet", str(repository), "template")
        other = bake_template(tmp_path / "template", tmp_path / "out")
    elif way == "zip":
        archive = [
            "git",
            "archive",
            "--format=zip",
            "--prefix=template/",
            "--output",
            str(tmp_path / "t.zip"),
        ]
        call(repository, *archive, "HEAD")
        other = bake_template(tmp_path / "t.zip", tmp_path / "out")
    else:
        home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        where = ["--no-input", "--output-dir", str(tmp_path)]
        call(tmp_path, tool("cruft"), "create", str(repository), *where, **home)
        other = tmp_path / "flight-delays"
    files = list_files(baked)
    assert sorted([*files, *([".cruft.json"] if way == "cruft" else [])]) == list_files(other)
    assert (files, [], []) == filecmp.cmpfiles(baked, other, files, shallow=False)


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_no_index_is_asked(installer: str, bake: Bake, tmp_path: Path) -> None:
    """Its list alone says where it lies, from any folder, and what it must be."""
    project = bake()
    call(tmp_path, tool("uv"), "venv", "--quiet", "venv")
    python = str(tmp_path / "venv/bin/python")
    tools = {
        "pip": [sys.executable, "-m", "pip", "--python", python, "install", "--no-compile"],
        "uv": [tool("uv"), "pip", "install", "--python", python],
    }
    words = ["--no-deps", "--no-index", "--require-hashes", "--requirement"]
    call(tmp_path, *tools[installer], *words, str(project / "vendor/requirements.txt"))
    [site] = (tmp_path / "venv/lib").glob("*/site-packages")
    [wheel] = (project / "vendor").glob("*.whl")
    members = {name: content for name, content in read_members(wheel).items() if name.endswith(".py")}
    assert members == {name: (site / name).read_bytes() for name in members}


@pytest.fixture
def tiny(bake: Bake, tmp_path: Path) -> Path:
    """A bake whose library is tiny, and which needs nothing else."""
    project = bake()
    shutil.copy(make_package(tmp_path / "library", "gitops-ml", "0.1.0", ["ours"]), project / "vendor")
    find_old(project).unlink()
    pin(project)
    (project / "requirements.txt").write_text("")
    pyproject = project / "pyproject.toml"
    text = re.sub(r"(?m)^(dependencies|dev) = \[\n.*?^\]", r"\1 = []", pyproject.read_text(), flags=re.DOTALL)
    pyproject.write_text(text.replace("dependencies = []", 'dependencies = ["gitops-ml"]'))
    return project


def find_old(project: Path) -> Path:
    """Return the wheel that the template brings along."""
    return max((project / "vendor").glob("*.whl"), key=lambda path: path.stat().st_size)


def pin(project: Path) -> None:
    """Pin the wheel that lies in a project."""
    [wheel] = (project / "vendor").glob("*.whl")
    (project / "vendor/requirements.txt").write_text(pin_wheel(wheel))


def test_same_version_other_content(tiny: Path, tmp_path: Path) -> None:
    """Where only the hash of the wheel has changed, ``make setup`` installs what is new."""
    said = []
    for answer in (1, 22):  # of another size, too: Python tells by it that what was compiled is stale
        find_old(tiny).unlink()
        shutil.copy(
            make_package(tmp_path / "library", "gitops-ml", "0.1.0", [], f"answer = {answer}"),
            tiny / "vendor",
        )
        pin(tiny)
        call(tiny, "make", "setup", PATH=find_uv_first())
        said.append(call(tiny, ".venv/bin/python", "-c", "import gitops_ml; print(gitops_ml.answer)").stdout)
    assert ["1\n", "22\n"] == said


def test_stranger_of_the_same_name(tiny: Path, tmp_path: Path) -> None:
    """A newer library of that name on an index changes nothing: ``make lock`` asks for what ours needs."""
    packages = tmp_path / "index"
    for name in ("ours", "theirs"):
        add_package(packages, make_package(tmp_path / name, name, "1.0", []))
    add_package(packages, make_package(tmp_path / "stranger", "gitops-ml", "9.9", ["theirs"]))
    (tiny / ".venv").mkdir()
    (tiny / ".venv/ready").touch()
    (tiny / ".venv/bin").mkdir()
    (tiny / ".venv/bin/python").symlink_to(sys.executable)
    call(tiny, "make", "lock", PATH=find_uv_first(), UV_DEFAULT_INDEX=packages.as_uri())
    assert ["ours"] == re.findall(r"(?m)^([\w-]+)==", (tiny / "requirements.txt").read_text())


def make_package(folder: Path, name: str, version: str, needs: list[str], code: str = "") -> Path:
    """Build a package of one line."""
    module = name.replace("-", "_")
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(f"{code}\n")
    listed = ", ".join(f'"{each}"' for each in needs)
    text = TINY.format(version=version, needs=listed).replace('"gitops-ml"', f'"{name}"')
    (folder / "pyproject.toml").write_text(text)
    call(folder, sys.executable, "-m", "flit_core.wheel")
    [wheel] = (folder / "dist").glob("*.whl")
    return wheel


def add_package(index: Path, wheel: Path) -> None:
    """Offer a package on an index of files."""
    name = wheel.name.split("-")[0].replace("_", "-")
    (index / name).mkdir(parents=True)
    shutil.copy(wheel, index / name)
    (index / name / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
