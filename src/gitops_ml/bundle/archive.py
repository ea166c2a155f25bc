"""The archive of a bundle: the one file that is released."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from ..core.errors import LifecycleError
from ..core.layout import BUNDLE, MANIFEST


def pack_bundle(bundle: Path, archive: Path) -> str:
    """Write the files of a bundle into one archive, below ``bundle/``.

    The same files give the same bytes: members are sorted, and neither times nor owners are kept.

    Parameters
    ----------
    bundle : Path
        The folder; it must be as its manifest says.
    archive : Path
        The archive to write, in one step.

    Returns
    -------
    str
        SHA-256 of the archive, hexadecimal.

    Raises
    ------
    LifecycleError
        If the bundle is missing or is not as its manifest says.
    """
    from .manifest import verify_bundle

    verify_bundle(bundle)
    content = _compress(bundle)
    beside = archive.with_name(archive.name + ".partial")
    beside.write_bytes(content)
    beside.replace(archive)
    return sha256(content).hexdigest()


def unpack_bundle(archive: Path, folder: Path) -> Path:
    """Write the bundle of an archive below a folder, and verify it.

    Returns
    -------
    Path
        The bundle.

    Raises
    ------
    LifecycleError
        If the archive cannot be read, holds more than a bundle, or its bundle is not as its manifest says.
    """
    from .manifest import verify_bundle

    with _open(archive) as tar:
        members = tar.getmembers()
        strange = [member.name for member in members if not _belongs(member)]
        if strange:
            raise LifecycleError(f"{archive} holds {strange[0]!r}; expected files below {BUNDLE}/ alone.")
        tar.extractall(folder, members, filter="data")
    verify_bundle(folder / BUNDLE)
    return folder / BUNDLE


def is_packed(bundle: Path, archive: Path) -> bool:
    """Tell whether an archive is that of a bundle, by their manifests.

    Raises
    ------
    LifecycleError
        If the archive cannot be read.
    """
    with _open(archive) as tar:
        member = f"{BUNDLE}/{MANIFEST}"
        packed = tar.extractfile(member) if member in tar.getnames() else None
        return packed is not None and packed.read() == (bundle / MANIFEST).read_bytes()


@contextmanager
def _open(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            yield tar
    except FileNotFoundError:
        raise LifecycleError(f"{archive} is missing; run 'mlops package' to make it.") from None
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise LifecycleError(f"{archive} is no archive of a bundle ({error}); run 'mlops package'.") from None


def _compress(bundle: Path) -> bytes:
    target = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=target, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path in sorted(path for path in bundle.rglob("*") if path.is_file()):
            content = path.read_bytes()
            member = tarfile.TarInfo(f"{BUNDLE}/{path.relative_to(bundle).as_posix()}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()


def _belongs(member: tarfile.TarInfo) -> bool:
    parts = Path(member.name).parts
    return (member.isfile() or member.isdir()) and parts[:1] == (BUNDLE,) and ".." not in parts
