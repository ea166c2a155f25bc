"""What a release checks: library, wheel, changelog and tag say the same version.

``make release`` asks whether main is ready; ``release.yml`` collects what it publishes, without the
environment of the repository.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from .vendor import FOLDER, ROOT, find_wheel, pin_wheel, read_members

LIBRARY = "src/gitops_ml/__init__.py"
CHANGELOG = "CHANGELOG.md"


class ReleaseError(Exception):
    """What is there cannot be released."""


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked for; return the exit status."""
    parser = ArgumentParser(prog="python -m rehearsal.release", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("ready", help="whether main can be released, and the commands that do it")
    collect = verbs.add_parser("collect", help="check what was built for a tag, and say what is new")
    collect.add_argument("tag")
    collect.add_argument("folder", type=Path)
    asked = parser.parse_args(arguments)
    try:
        print(check_ready(ROOT) if asked.verb == "ready" else collect_wheel(ROOT, asked.tag, asked.folder))
    except ReleaseError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def read_version(root: Path) -> str:
    """Return the version of the library, which is written in one place."""
    text = (root / LIBRARY).read_text(encoding="utf-8")
    return str(re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)[0])


def read_notes(root: Path) -> str:
    """Return what the changelog says of the version.

    Raises
    ------
    ReleaseError
        If its newest heading names another one, or nothing stands below.
    """
    version = read_version(root)
    _, _, below = (root / CHANGELOG).read_text(encoding="utf-8").partition("\n## ")
    title, _, rest = below.partition("\n")
    newest = title.partition(" ")[0] or "nothing"
    if newest != version:
        raise ReleaseError(f"{CHANGELOG} begins with {newest}, expected '## {version}', as in {LIBRARY}.")
    notes = rest.partition("\n## ")[0].strip()
    if not notes:
        raise ReleaseError(f"{CHANGELOG} says nothing of {version}: write down what is new for users.")
    return notes


def check_version(root: Path, tag: str) -> None:
    """Check that tag, library, wheel, pin and changelog are of one version.

    Raises
    ------
    ReleaseError
        If one of them is not.
    """
    version = read_version(root)
    if tag != f"v{version}":
        raise ReleaseError(f"the tag is {tag}, {LIBRARY} says {version}: expected v{version}.")
    _check_wheel(root, version)
    read_notes(root)


def _check_wheel(root: Path, version: str) -> None:
    try:
        wheel = find_wheel(root)
    except ValueError:
        raise ReleaseError(f"{FOLDER} should hold one wheel: run 'make wheel'.") from None
    if wheel.name.split("-")[1] != version:
        raise ReleaseError(f"{FOLDER} has {wheel.name}, {LIBRARY} says {version}: run 'make wheel'.")
    if (root / FOLDER / "requirements.txt").read_text(encoding="utf-8") != pin_wheel(wheel):
        raise ReleaseError(f"{FOLDER}/requirements.txt does not pin {wheel.name}: run 'make wheel'.")


def collect_wheel(root: Path, tag: str, folder: Path) -> str:
    """Put the template's wheel in place of the one just built, and return what is new in it.

    The two have the same members. It is the template's whose hash is pinned in each bake, so it is
    the one to publish.

    Raises
    ------
    ReleaseError
        If something is not of the tag's version, or the two wheels differ.
    """
    check_version(root, tag)
    wheel = find_wheel(root)
    built = folder / wheel.name
    if not built.is_file():
        raise ReleaseError(f"{folder} has no {wheel.name}: run 'uv build --out-dir {folder}'.")
    _compare(wheel, built)
    shutil.copyfile(wheel, built)
    return read_notes(root)


def _compare(wheel: Path, built: Path) -> None:
    """Refuse a wheel whose members are not what the sources give."""
    kept, fresh = read_members(wheel), read_members(built)
    differing = sorted(name for name in kept.keys() | fresh.keys() if kept.get(name) != fresh.get(name))
    if differing:
        raise ReleaseError(f"{wheel.name} is not made of src/: {differing[-1]} differs; run 'make wheel'.")


def check_ready(root: Path) -> str:
    """Check that a checkout can be released, and return the commands that do it.

    Raises
    ------
    ReleaseError
        If something is left to do.
    """
    version = read_version(root)
    check_version(root, f"v{version}")
    _check_sources(root)
    if _git(root, "status", "--porcelain"):
        raise ReleaseError("there are changes that are not committed: see 'git status'.")
    branch = _git(root, "rev-parse", "--abbrev-ref", "HEAD")
    if branch != "main":
        raise ReleaseError(f"this is {branch}, releases are made of main: run 'git switch main'.")
    if _git(root, "tag", "--list", f"v{version}"):
        raise ReleaseError(f"v{version} has been released: set the next version in {LIBRARY}.")
    return (
        f"Version {version} can be released:\n"
        f'  git tag --annotate v{version} --message "Version {version}"\n'
        f"  git push --atomic origin main v{version}"
    )


def _check_sources(root: Path) -> None:
    from .wheel import build_wheel  # needs flit

    with tempfile.TemporaryDirectory() as folder:
        _compare(find_wheel(root), build_wheel(root, Path(folder)))


def _git(root: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
