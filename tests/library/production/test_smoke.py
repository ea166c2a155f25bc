"""A package that does not work is found out before it is deployed."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.tree import DecisionTreeClassifier

from gitops_ml.bundle.archive import pack_bundle
from gitops_ml.bundle.manifest import write_manifest
from gitops_ml.production.smoke import smoke
from toys import edit_params, mlops


def pack(root: Path) -> None:
    write_manifest(root / "build/bundle")
    pack_bundle(root / "build/bundle", root / "build/bundle.tar.gz")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve with this Python: what comes before and after the clean environment is the same."""
    monkeypatch.setattr(smoke, "make_venv", lambda requirements, python, folder: Path(sys.executable))


def test_good_package(done: Path) -> None:
    """What was just built works in an environment of its own, also where nothing else is left of it."""
    pack(done)
    shutil.move(done / "build/bundle.tar.gz", done / "released.tar.gz")
    shutil.rmtree(done / "build")
    edit_params(done, serve={"log": {"url": "log"}})
    result = mlops("smoke", "released.tar.gz", "--json")
    assert 0 == result.exit_code, result.output
    assert json.loads(result.output)["latency_ms"] < 10_000
    assert not (done / "log").exists()


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    """Change the content of a JSON file."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def change_answer(bundle: Path) -> None:
    def change(golden: Any) -> None:
        golden["outputs"][3] = [0.5, 0.5] if isinstance(golden["outputs"][3], list) else -1

    edit(bundle / "golden.json", change)


def use_unknown_type(bundle: Path) -> None:
    import skops.io

    model = DecisionTreeClassifier(random_state=0).fit([[0], [1]], [0, 1])
    model.secret = Path("/etc/passwd")
    skops.io.dump(model, bundle / "model.skops")


def need_more(bundle: Path) -> None:
    edit(bundle / "contract.json", lambda contract: contract["features"].append("mood"))
    edit(bundle / "contract.json", lambda contract: contract["columns"].append(MOOD))


def need_other(bundle: Path) -> None:
    edit(bundle / "contract.json", lambda contract: contract["columns"][2].update(kind="datetime"))


def come_from_old_library(bundle: Path) -> None:
    edit(bundle / "lineage.json", lambda lineage: lineage["libraries"].update({"scikit-learn": "0.24.2"}))


def tell_secret(bundle: Path) -> None:
    words = "secret" + " is " + "not told"
    code = f"import os\n\nraise RuntimeError(os.environ.get('MLOPS_API_TOKEN', '{words}'))\n"
    (bundle / "code/toy_binary/features.py").write_text(code)


MOOD = {
    "name": "mood",
    "role": "feature",
    "kind": "string",
    "dtype": "str",
    "nullable": False,
    "unique": False,
    "required": True,
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (change_answer, "does not predict what it did when it was made"),
        (use_unknown_type, "which is not a known type"),
        (need_more, "needs 'mood', which the contract in schema.py no longer has"),
        (need_other, "takes 'scheduled_minutes' as datetime, the contract in schema.py as integer"),
        (come_from_old_library, "and scikit-learn 0.24.2, but here"),
        (tell_secret, "secret is not told"),
    ],
)
def test_bad_package(
    done: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None], expected: str
) -> None:
    """Whatever is wrong with it is said in one sentence, and nothing of what it must not know."""
    monkeypatch.setenv("MLOPS_API_TOKEN", "hunter2")
    spoil(done / "build/bundle")
    pack(done)
    result = mlops("smoke")
    assert 1 == result.exit_code
    assert expected in result.output
    assert 1 == len(result.output.splitlines())


@pytest.mark.usefixtures("quick")
def test_slow_package(done: Path) -> None:
    """A service slower than the gate on latency allows is not deployed."""
    pack(done)
    edit_params(done, gates={"max_latency_ms": 0.001})
    result = mlops("smoke")
    assert (1, True) == (result.exit_code, "expected at most gates.max_latency_ms, 0.001 ms" in result.output)


def test_tampered_package(done: Path) -> None:
    """A file that was changed after the manifest was written gives it away."""
    pack(done)
    package = (done / "build/bundle.tar.gz").read_bytes()
    (done / "build/bundle.tar.gz").write_bytes(package[: len(package) // 2])
    result = mlops("smoke")
    assert (1, True) == (result.exit_code, "is no archive of a bundle" in result.output)
