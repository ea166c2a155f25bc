"""Bundles of an older version of the library, which the library's tests take as champions."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .bake import ROOT, clean_environment
from .vendor import pin_wheel
from .wheel import build_wheel

VERSION = "0.0.9"
PROJECTS = ROOT / "tests/library/projects"
BUNDLES = ROOT / "tests/library/bundles"


def main() -> None:
    """Run the toy projects with the older library, each in an environment of its own; keep their bundles."""
    BUNDLES.mkdir(exist_ok=True)
    for name in ("binary", "regression"):
        with tempfile.TemporaryDirectory() as folder:
            project = Path(folder) / name
            _lay_out(name, project)
            for command in (("data", "accept"), ("run",), ("package",)):
                subprocess.run(
                    [".venv/bin/mlops", *command], cwd=project, env=clean_environment(), check=True
                )
            shutil.copy(project / "build/bundle.tar.gz", BUNDLES / f"{name}.tar.gz")


def build_older(folder: Path) -> Path:
    """Return a wheel of today's library that says it is an older version."""
    source = folder / "older"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src/gitops_ml", source / "src/gitops_ml", ignore=ignored)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    path = source / "src/gitops_ml/__init__.py"
    before, version, after = path.read_text(encoding="utf-8").partition("__version__ = ")
    rest = after.partition("\n")[2]
    path.write_text(f'{before}{version}"{VERSION}"\n{rest}', encoding="utf-8")
    return build_wheel(source, folder)


def _lay_out(name: str, project: Path) -> None:
    shutil.copytree(PROJECTS / name, project, ignore=shutil.ignore_patterns("__pycache__"))
    for path in sorted((project / "data").iterdir())[2:]:  # as the tests have it
        path.unlink()
    shutil.copytree(PROJECTS / "model_cards", project / "model_cards", dirs_exist_ok=True)
    shutil.copy(ROOT / "requirements.txt", project)
    (project / "vendor").mkdir()
    wheel = build_older(project / "vendor")
    shutil.rmtree(project / "vendor/older")
    (project / "vendor/requirements.txt").write_text(pin_wheel(wheel), encoding="utf-8")
    python = project / ".venv/bin/python"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", str(project / ".venv")], check=True)
    lists = ("--requirement", "requirements.txt", "--requirement", "vendor/requirements.txt")
    command = [uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", *lists]
    subprocess.run(command, cwd=project, check=True)


if __name__ == "__main__":
    main()
