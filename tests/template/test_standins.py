"""The stand-ins for actions about images fail where the real ones would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rehearsal.standins import attestation, image, login, pages
from rehearsal.standins.errors import StandInError

DOCKERFILE = """FROM python AS base
COPY --chmod=644 one.txt \\
  folder ./
FROM base
COPY --from=base /one.txt /
"""
NAME = "registry.example.org/me/model"
DIGEST = "sha256:" + 64 * "a"


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all that goes into an image; it is the current one."""
    (tmp_path / "folder").mkdir()
    for name in ("one.txt", "two.txt", "folder/three.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    return tmp_path


def give(patch: pytest.MonkeyPatch, **inputs: str) -> None:
    """Say something to a stand-in."""
    for name, value in inputs.items():
        patch.setenv(f"IN_{name.upper()}", value)


@pytest.mark.parametrize(
    ("name", "counts"),
    [("one.txt", True), ("folder/three.txt", True), ("Dockerfile", True), ("two.txt", False)],
)
def test_the_digest_is_that_of_what_goes_in(context: Path, name: str, counts: bool) -> None:
    """Another byte in a file that is copied is another image; other files do not matter."""
    before = image.digest_image(context / "Dockerfile", context, [])
    (context / name).write_text((context / name).read_text() + "\n# more")
    assert counts == (before != image.digest_image(context / "Dockerfile", context, []))


def test_arguments_count(context: Path) -> None:
    """The same files with another version are another image."""
    digests = {image.digest_image(context / "Dockerfile", context, [f"VERSION={n}"]) for n in (1, 2)}
    assert 2 == len(digests)


def test_a_push(context: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever is logged in may push; the workflow gets the digest."""
    give(monkeypatch, registry="registry.example.org", username="me", password="hush")
    login.main([])
    give(monkeypatch, push="true", tags=f"{NAME}:1")
    image.main([])
    digest = (context / "output").read_text().strip().removeprefix("digest=")
    assert f"Pushed {NAME}:1@{digest}.\n" in capsys.readouterr().out
    assert "hush" not in (context / ".docker/config.json").read_text()


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"file": "nowhere"}, "failed to read dockerfile"),
        ({"context": "folder", "file": "Dockerfile"}, 'checksum of "/one.txt": not found'),
        ({"tags": "registry.example.org/Me/model:1"}, "must be lowercase"),
        ({"tags": f"{NAME}:1", "push": "true"}, "denied"),
    ],
)
def test_no_image(
    context: Path, monkeypatch: pytest.MonkeyPatch, inputs: dict[str, str], expected: str
) -> None:
    """A file that is missing, a name that is none, and a push by a stranger fail, without a digest."""
    give(monkeypatch, **inputs)
    with pytest.raises(StandInError, match=expected):
        image.main([])
    assert not (context / "output").exists()


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"subject_path": "one.txt"}, "Attested the provenance of one.txt@sha256:"),
        ({"subject_name": NAME, "subject_digest": DIGEST}, f"Attested the provenance of {NAME}@{DIGEST}"),
        (
            {"subject_name": NAME, "subject_digest": DIGEST, "sbom_path": "sbom.json"},
            f"Attested the bill of materials of {NAME}@{DIGEST}",
        ),
    ],
)
def test_attestation(
    context: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    inputs: dict[str, str],
    expected: str,
) -> None:
    """What is said, and about what."""
    (context / "sbom.json").write_text(json.dumps({"bomFormat": "CycloneDX"}))
    give(monkeypatch, **inputs)
    attestation.main([])
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"subject_path": "nowhere"},
        {"subject_path": "one.txt", "subject_digest": DIGEST, "subject_name": NAME},
        {"subject_digest": DIGEST},
        {"subject_digest": "sha256:1", "subject_name": NAME},
        {"subject_path": "one.txt", "sbom_path": "sbom.json"},
    ],
)
def test_no_attestation(context: Path, monkeypatch: pytest.MonkeyPatch, inputs: dict[str, str]) -> None:
    """Without a subject, or with a bill of materials that is none, nothing is attested."""
    (context / "sbom.json").write_text("{}")
    give(monkeypatch, **inputs)
    with pytest.raises(StandInError):
        attestation.main([])


def test_publishing_needs_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is published that nobody has handed over."""
    give(monkeypatch, name="github-pages")
    monkeypatch.setenv("ARTIFACTS", str(tmp_path))
    with pytest.raises(StandInError, match="No artifact named github-pages"):
        pages.main([])
