"""A package that does not work is found out before it is deployed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sklearn.tree import DecisionTreeClassifier

from {{ cookiecutter.__package }}.pipeline.bundle import seal_bundle
from {{ cookiecutter.__package }}.pipeline.package import pack_bundle

from conftest import mlops


def pack(root: Path) -> None:
    seal_bundle(root / "build/bundle")
    pack_bundle(root / "build/bundle", root / "build/bundle.tar.gz")


def test_good_package(done: Path) -> None:
    """What was just built works, also where nothing else of the build is left."""
    pack(done)
    shutil.move(done / "build/bundle.tar.gz", done / "released.tar.gz")
    shutil.rmtree(done / "build")
    result = mlops("smoke", "released.tar.gz")
    assert (0, True) == (result.exit_code, "released.tar.gz works: linear of commit" in result.output)


def change_answer(bundle: Path) -> None:
    golden = json.loads((bundle / "golden.json").read_text())
    golden["outputs"][3] = [0.5, 0.5] if isinstance(golden["outputs"][3], list) else -1
    (bundle / "golden.json").write_text(json.dumps(golden))


def break_code(bundle: Path) -> None:
    (bundle / "code/features.py").write_text("raise RuntimeError('no luck')\n")


def break_model(bundle: Path) -> None:
    (bundle / "model.skops").write_bytes(b"no model")


def use_unknown_type(bundle: Path) -> None:
    import skops.io

    model = DecisionTreeClassifier(random_state=0).fit([[0], [1]], [0, 1])
    model.secret = Path("/etc/passwd")
    skops.io.dump(model, bundle / "model.skops")


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (change_answer, "its model no longer predicts what it did when it was made"),
        (break_code, "no luck"),
        (break_model, "is not a whole skops file"),
        (use_unknown_type, "which is not a known type"),
    ],
)
def test_bad_package(done: Path, spoil: Callable[[Path], None], expected: str) -> None:
    """Whatever is wrong with it is said in one sentence."""
    spoil(done / "build/bundle")
    pack(done)
    result = mlops("smoke")
    assert 1 == result.exit_code
    assert expected in result.output
    assert 1 == len(result.output.splitlines())


def test_tampered_package(done: Path) -> None:
    """A file that was changed after the bundle was sealed gives it away."""
    pack(done)
    package = (done / "build/bundle.tar.gz").read_bytes()
    (done / "build/bundle.tar.gz").write_bytes(package[: len(package) // 2])
    result = mlops("smoke")
    assert (1, True) == (result.exit_code, "is no archive of a bundle" in result.output)
