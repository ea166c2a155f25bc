"""Images without Docker: built and run by buildah, on a copy of this machine's own Python."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

# What a build may count on in the real base image, and what is left out of a Python to save time.
PROGRAMS = ("cat", "chmod", "install", "sh")
LEFT_OUT = ("site-packages", "test", "tkinter", "idlelib", "config-*", "__pycache__", "_tkinter*")
# Parts of the C library and of C++ that programs load by their names; `ldd` of Python shows no others.
LIBRARIES = ("librt", "libpthread", "libdl", "libutil", "libnss_dns", "libnss_files", "libstdc++", "libgcc_s")
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
PIP = '#!/bin/sh\nexec python -m pip "$@"\n'


@dataclass(frozen=True)
class Builder:
    """Buildah with a storage of its own.

    Parameters
    ----------
    folder
        Where images lie, and everything that building them writes.
    """

    folder: Path

    def command(self, *words: str) -> list[str]:
        """Return how buildah is called."""
        places = ["--root", str(self.folder / "root"), "--runroot", str(self.folder / "run")]
        return ["buildah", *places, "--storage-driver", "vfs", *words]

    def run(self, *words: str) -> str:
        """Run buildah and return what it says."""
        ended = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-5000:]
        return ended.stdout.strip()

    def make_base(self, name: str) -> None:
        """Make an image of this machine's Python; the real one is in a registry, which no test asks."""
        files = self.folder / "files"
        copy_python(files)
        container = self.run("from", "scratch")
        self.run("copy", "--quiet", container, str(files), "/")
        variables = {"PATH": "/usr/local/bin:/usr/bin", "PIP_CERT": AUTHORITIES, "SSL_CERT_FILE": AUTHORITIES}
        words = [word for pair in variables.items() for word in ("--env", "=".join(pair))]
        self.run("config", *words, container)
        self.run("commit", "--quiet", "--rm", container, name)

    def build(self, project: Path, base: str, name: str, **arguments: str) -> None:
        """Build ``deploy/Dockerfile`` of a project, on another base image than it names."""
        words = ["--isolation", "chroot", "--pull-never", "--format", "docker", "--layers=false"]
        words += [word for pair in arguments.items() for word in ("--build-arg", "=".join(pair))]
        words += ["--from", base, "--file", str(project / "deploy/Dockerfile"), "--tag", name]
        self.run("bud", *words, str(project))

    def inspect(self, name: str) -> Any:
        """Return what an image says about itself."""
        return json.loads(self.run("inspect", "--type", "image", name))["Docker"]["config"]

    def enter(self, container: str, *words: str) -> list[str]:
        """Return the command that runs a program in a container."""
        return self.command("run", "--isolation", "chroot", container, "--", *words)


def copy_python(folder: Path) -> None:
    """Lay out this machine's Python with pip, and a shell, below a folder, as Python's own images do."""
    prefix, name = Path(sys.base_prefix), f"python{sys.version_info.major}.{sys.version_info.minor}"
    library, programs, others = (
        folder / path for path in (f"usr/local/lib/{name}", "usr/local/bin", "usr/bin")
    )
    shutil.copytree(prefix / "lib" / name, library, ignore=shutil.ignore_patterns(*LEFT_OUT))
    [pip] = library.glob("ensurepip/_bundled/pip-*.whl")
    ZipFile(pip).extractall(library / "site-packages")
    programs.mkdir()
    shutil.copy(prefix / "bin" / name, programs)
    for link in ("python", "python3"):
        (programs / link).symlink_to(name)
    (programs / "pip").write_text(PIP)
    (programs / "pip").chmod(0o755)
    others.mkdir()
    (folder / "bin").symlink_to("usr/bin")
    for program in PROGRAMS:
        shutil.copy(str(shutil.which(program)), others)
    copy_libraries([programs / name, *others.iterdir(), *library.glob("lib-dynload/*.so")], folder)
    (folder / "tmp").mkdir(mode=0o777)
    copy(Path(AUTHORITIES), folder)


def copy_libraries(programs: Iterable[Path], folder: Path) -> None:
    """Copy what programs load, and what they may load later, to where the loader looks for it."""
    said = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=True).stdout
    found = {Path(path) for path in re.findall(r"(?:=> |^\t)(/\S+) \(", said, re.MULTILINE)}
    [system] = {path.parent for path in found if path.name == "libc.so.6"}
    found |= {path for name in LIBRARIES for path in system.glob(f"{name}.so.*")}
    (folder / system.relative_to("/")).mkdir(parents=True)
    for path in found:
        if path.is_relative_to(sys.base_prefix):
            shutil.copy(path, folder / system.relative_to("/"))
        else:
            copy(path, folder)


def copy(path: Path, folder: Path) -> None:
    """Copy a file to where it lies here, below another root."""
    target = folder / path.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)
