"""A bundle as one file: the same bytes each time, and nothing but a bundle is unpacked."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from gitops_ml.bundle.archive import is_packed, pack_bundle, unpack_bundle
from gitops_ml.core.errors import LifecycleError


def write_archive(path: Path, **members: bytes | tarfile.TarInfo) -> None:
    """Write an archive; a member that is no bytes stands for itself."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def test_same_bundle_same_bytes(done: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither the time nor the order in which files were written can be seen in the archive."""
    first, second = done / "first.tar.gz", done / "second.tar.gz"
    copy = tmp_path_factory.mktemp("copy") / "bundle"
    for path in sorted((done / "build/bundle").rglob("*"), reverse=True):
        target = copy / path.relative_to(done / "build/bundle")
        if path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            os.utime(target, (1, 1))
    assert pack_bundle(done / "build/bundle", first) == pack_bundle(copy, second)
    assert first.read_bytes() == second.read_bytes()


def test_round_trip(done: Path) -> None:
    """What is unpacked is what was packed."""
    bundle, package = done / "build/bundle", done / "bundle.tar.gz"
    pack_bundle(bundle, package)
    unpacked = unpack_bundle(package, done / "new")
    names = sorted(path.relative_to(bundle) for path in bundle.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file())
    assert [(bundle / name).read_bytes() for name in names] == [
        (unpacked / name).read_bytes() for name in names
    ]


def test_tampered_bundle_is_not_packed(done: Path) -> None:
    """What is not as its manifest says is not released, and an archive that is there stays."""
    package = done / "bundle.tar.gz"
    package.write_bytes(b"old")
    (done / "build/bundle/metrics.json").write_text("{}")
    with pytest.raises(LifecycleError, match=r"metrics\.json has changed"):
        pack_bundle(done / "build/bundle", package)
    assert b"old" == package.read_bytes()


def test_archive_of_another_bundle(done: Path) -> None:
    """An archive belongs to the bundle whose manifest it holds."""
    bundle, package = done / "build/bundle", done / "bundle.tar.gz"
    pack_bundle(bundle, package)
    assert is_packed(bundle, package)
    (bundle / "MANIFEST.json").write_text("{}")
    assert not is_packed(bundle, package)


def _link() -> tarfile.TarInfo:
    link = tarfile.TarInfo("bundle/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return link


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"../evil": b""}, "holds '../evil'"),
        ({"/etc/evil": b""}, "holds '/etc/evil'"),
        ({"bundle/../../evil": b""}, r"holds 'bundle/\.\./\.\./evil'"),
        ({"other/file": b""}, "holds 'other/file'"),
        ({"link": _link()}, "holds 'bundle/link'"),
        ({}, "is missing"),
    ],
)
def test_strange_archives(tmp_path: Path, members: dict[str, bytes], expected: str) -> None:
    """Whatever is no file of a bundle is refused before anything is written."""
    write_archive(tmp_path / "bundle.tar.gz", **members)
    with pytest.raises(LifecycleError, match=expected):
        unpack_bundle(tmp_path / "bundle.tar.gz", tmp_path / "new")
    assert ["bundle.tar.gz"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x1f\x8b\x08\x00"])
def test_no_archive(tmp_path: Path, content: bytes) -> None:
    """Something else than an archive is one sentence."""
    (tmp_path / "bundle.tar.gz").write_bytes(content)
    with pytest.raises(LifecycleError, match="is no archive of a bundle"):
        unpack_bundle(tmp_path / "bundle.tar.gz", tmp_path / "new")
