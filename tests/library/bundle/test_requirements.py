"""The requirements of a bundle are whole, and are those of the project's lock."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_ml.bundle import requirements
from gitops_ml.bundle.requirements import list_closure, pin_requirements
from toys import ROOT


def test_closure_has_what_packages_need() -> None:
    """A package brings what it needs, and what that needs in turn."""
    closure = list_closure(["fastapi"])
    assert {"fastapi", "starlette", "anyio", "idna"} <= set(closure)
    assert sorted(closure) == closure


def test_extras_are_followed_where_they_are_asked_for() -> None:
    """What an extra needs comes with the extra alone."""
    assert "aiohttp" not in list_closure(["fsspec"])
    assert "aiohttp" in list_closure(["fsspec[http]"])


def test_hashes_are_those_of_the_lock() -> None:
    """An entry is taken from the project's lock as it stands there."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    [first, *hashes] = pin_requirements(["threadpoolctl"], lock).splitlines()
    assert first.startswith(f"threadpoolctl=={version('threadpoolctl')} ")
    assert hashes
    assert all(line.strip().startswith("--hash=sha256:") for line in hashes)


def test_without_the_version_that_is_installed_there_are_no_hashes() -> None:
    """Installers want a hash for each package or for none."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    other = lock.replace(f"idna=={version('idna')}", "idna==0.1")
    pinned = pin_requirements(["fastapi"], other)
    assert f"idna=={version('idna')}\n" in pinned
    assert "--hash" not in pinned


NAMES = st.text("abc-0", min_size=1, max_size=6).map("p{}".format)
PINS = st.builds("{}=={}.{}".format, NAMES, st.integers(0, 99), st.integers(0, 99))
MARKERS = st.sampled_from(["", " ; sys_platform == 'win32'", " ; python_full_version < '3.12'"])
HASHES = st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=1, max_size=3)


@given(st.lists(st.tuples(PINS, MARKERS, HASHES), max_size=5, unique_by=lambda entry: entry[0]))
def test_entries_are_read_as_they_stand(entries: list[tuple[str, str, list[str]]]) -> None:
    """Whatever the lock lists is found by name and version, with its lines as they are."""
    texts = {
        pin: pin + marker + "".join(f" \\\n    --hash=sha256:{digest}" for digest in hashes) + "\n"
        for pin, marker, hashes in entries
    }
    assert texts == requirements._read_entries("# comment\n" + "".join(texts.values()))


@pytest.mark.parametrize("end", ["", "\n"])
def test_entries_without_hashes(end: str) -> None:
    """A lock written by hand may have none."""
    assert {"six==1.17.0": f"six==1.17.0{end}"} == requirements._read_entries(f"six==1.17.0{end}")
