"""Bake the template, and prepare what is baked for its first run."""

from __future__ import annotations

import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).parents[2]
# The default first.
PROBLEMS = ["classification", "regression"]
# What a bake consists of; everything else at the root may change without changing a bake.
PARTS = ["cookiecutter.json", "hooks", "{{cookiecutter.__project_slug}}"]
# What a project on disk has made by itself and may keep when it is baked anew.
KEPT = {".venv", ".git", "build", "mlflow.db", "mlartifacts"}
# MAKEFLAGS would hand the outer make's options, -n or jobs, to a project's own make.
STRAY = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MLFLOW_TRACKING_URI"}
IDENTITY = {"NAME": "rehearsal", "EMAIL": "rehearsal@localhost"}
COMMIT = ["-c", "commit.gpgsign=false", "commit", "--quiet", "--allow-empty", "--message"]


def list_template() -> list[str]:
    """Return the template's files, those that Git would commit, relative to the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PARTS]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=clean_environment(), check=True, capture_output=True, text=True
        )
        listed = done.stdout.split("\0")
    except subprocess.CalledProcessError:  # an unpacked archive, which holds only what was committed
        paths = [path for part in PARTS for path in (ROOT / part, *(ROOT / part).rglob("*"))]
        listed = [path.relative_to(ROOT).as_posix() for path in paths]
    return sorted(name for name in listed if name and (ROOT / name).is_file())


def copy_template(folder: Path) -> Path:
    """Copy the template's files to ``folder``, so that no cache or build slips into a bake."""
    for name in list_template():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return folder


def digest_template() -> str:
    """Return a digest of all that can change a bake."""
    digest = sha256()
    for name in list_template():
        content = (ROOT / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def bake(template: Path, folder: Path, **answers: str) -> Path:
    """Bake ``template`` below ``folder`` and return the project.

    Answers that are not given keep their defaults, whatever the user's own cookiecutter says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "cookiecutter.yaml"
    config.write_text(
        f"replay_dir: '{folder}/.replay'\ncookiecutters_dir: '{folder}/.templates'\n", encoding="utf-8"
    )
    try:
        project = cookiecutter(
            str(template),
            no_input=True,
            extra_context=answers,
            output_dir=str(folder),
            config_file=str(config),
        )
    finally:
        config.unlink()
        shutil.rmtree(folder / ".replay", ignore_errors=True)
    return Path(project)


def refresh(project: Path, **answers: str) -> bool:
    """Bake the template over ``project``; return whether that was needed.

    Environment, build and tracked runs stay. Nothing is written while template and answers are
    those of the last time.
    """
    digest = f"{digest_template()} {answers}"
    stamp = project.with_name(project.name + ".baked")
    if project.is_dir() and stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return False
    fresh = project.with_name(".fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    baked = bake(copy_template(fresh / "template"), fresh / "baked", **answers)
    _replace(project, baked)
    shutil.rmtree(fresh)
    stamp.write_text(digest, encoding="utf-8")
    return True


def _replace(project: Path, baked: Path) -> None:
    project.mkdir(parents=True, exist_ok=True)
    for path in project.iterdir():
        if path.name in KEPT:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in baked.iterdir():
        path.rename(project / path.name)


def commit(project: Path, subject: str) -> None:
    """Commit everything in ``project``, on branch main, whoever the user of this machine is."""
    identity = {
        f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in IDENTITY.items()
    }
    if not (project / ".git").exists():
        subprocess.run(["git", "init", "--quiet", "--initial-branch", "main"], cwd=project, check=True)
    for command in (["add", "--all"], [*COMMIT, subject]):
        subprocess.run(["git", *command], cwd=project, env=clean_environment() | identity, check=True)


def clean_environment() -> dict[str, str]:
    """Return the environment without what would lead a baked project to this repository's own."""
    return {
        name: value for name, value in os.environ.items() if name not in STRAY and not name.startswith("GIT_")
    }


def run(project: Path, *command: str) -> None:
    """Run a command in ``project``; its output is shown as it comes.

    Raises
    ------
    CalledProcessError
        If the command fails.
    """
    subprocess.run(command, cwd=project, env=clean_environment(), check=True)
