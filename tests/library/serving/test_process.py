"""The service as a process: how it starts, what it imports, and how it ends."""

from __future__ import annotations

import http.client
import itertools
import json
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest

from gitops_ml.bundle.golden import GoldenRecord
from gitops_ml.bundle.manifest import write_manifest
from gitops_ml.serving.service_stats import ServiceStats
from services import Running, read_log, run_service
from toys import edit_params, mlops

# What only training, tracking, drawing and testing need.
UNWANTED = ["mlflow", "matplotlib", "pandera", "pytest"]
# Parts of scikit-learn that no model needs.
UNUSED = ["sklearn.datasets", "sklearn.experimental", "sklearn.utils._testing"]


def ask_until_closed(service: Running, record: dict[str, Any], number: int, predicted: list[str]) -> None:
    """Ask one request after the other on one connection until the service ends it; note their ids."""
    connection = http.client.HTTPConnection(service.url.removeprefix("http://"), timeout=30)
    for count in itertools.count():
        id = f"{number}-{count}"
        connection.request("POST", "/predict", json.dumps({**record, "flight_id": id}))
        answer = connection.getresponse()
        content = answer.read()
        assert 200 == answer.status, content
        assert 1 == len(json.loads(content)["predictions"])
        predicted.append(id)
        if answer.headers.get("Connection") == "close":
            return


def test_no_request_and_no_record_is_lost_at_the_end(done: Path) -> None:
    """After SIGTERM all requests are answered, load balancers are told, and the log is whole."""
    log = {"url": "log", "seconds": 1, "format": "parquet"}
    edit_params(done, serve={"drain_seconds": 0.5, "log": log})
    record = GoldenRecord.read(done / "build" / "bundle").inputs[0]
    predicted: list[str] = []
    with run_service(done) as service, ThreadPoolExecutor(16) as pool:
        clients = [pool.submit(ask_until_closed, service, record, number, predicted) for number in range(16)]
        while len(predicted) < 100 or not list((done / "log").rglob("*.parquet")):
            assert [] == [client for client in clients if client.done()]
            time.sleep(0.05)
        status = service.end()
        for client in clients:
            client.result()

    assert 0 == status
    assert sorted(predicted) == sorted(record["id"] for record in read_log(done / "log"))


def test_workers_answer_as_one(done: Path) -> None:
    """They share a port and their numbers, end together, and each tells then how it did."""
    edit_params(done, serve={"workers": 2, "drain_seconds": 0, "log": {"url": "log", "seconds": 600}})
    body = json.dumps(GoldenRecord.read(done / "build" / "bundle").inputs[0])
    with run_service(done) as service:
        for _ in range(20):
            assert 200 == httpx.post(f"{service.url}/predict", content=body).status_code
        text = httpx.get(f"{service.url}/metrics").text
        assert 'mlops_requests_total{path="/predict",status="200"} 20.0' in text
        assert [] == list((done / "log").rglob("*.json"))
        assert 0 == service.end()
    told = [ServiceStats.model_validate_json(path.read_bytes()) for path in done.rglob("*.service.json")]
    assert 20 == sum(summary.answers["2xx"] for summary in told)
    assert 20 == sum(summary.records for summary in told)


def test_a_bundle_is_served_with_its_own_code(done: Path) -> None:
    """What the project has become since the bundle was made does not change what it predicts."""
    bundle = done / "build" / "bundle"
    code = bundle / "code" / "toy_binary" / "features.py"
    code.write_text(code.read_text() + "\nprint('own code', flush=True)\n")
    write_manifest(bundle)
    start = "; ".join(
        [
            "from pathlib import Path",
            "from gitops_ml.bundle.bundle import use_code",
            "from gitops_ml.serving.model import load",
            "use_code(Path('build/bundle'))",
            "load(Path('build/bundle'), {})",
        ]
    )

    done_by = subprocess.run(
        [sys.executable, "-c", start], cwd=done, check=True, capture_output=True, text=True
    )

    assert "own code\n" == done_by.stdout
    assert [] == list(bundle.rglob("__pycache__"))


def test_the_service_needs_nothing_of_training(done: Path) -> None:
    """It predicts where neither MLflow nor Matplotlib, Pandera or pytest are installed."""
    code = f"""
import sys

for name in {UNWANTED}:
    sys.modules[name] = None  # as if it were not installed

from pathlib import Path
from gitops_ml.core.settings import ServeSettings
from gitops_ml.serving import server

with server.import_needed_only():
    from gitops_ml.serving.app import make_app
    from gitops_ml.bundle.bundle import use_code
    from gitops_ml.serving.model import load
    from gitops_ml.serving.service import make_service

use_code(Path("build/bundle"))
service = make_service(load(Path("build/bundle"), dict()), ServeSettings())
make_app(service, None).openapi()
service.close()
print(*(name for name, module in sys.modules.items() if module and name.split(".")[0] in {UNWANTED}))
print(*sys.modules.keys() & {UNUSED})
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=done, capture_output=True, text=True)

    assert (0, "\n\n") == (ended.returncode, ended.stdout), ended.stderr


@pytest.mark.parametrize(("guard", "expected"), [("nullcontext", UNUSED), ("import_needed_only", [])])
def test_skops_imports_all_of_scikit_learn_unless_it_is_kept_from_it(guard: str, expected: list[str]) -> None:
    """It lists estimators as it is imported; where that changes, ``import_needed_only`` has to, or may go."""
    code = f"""
import sys
from contextlib import nullcontext
from gitops_ml.serving.server import import_needed_only

with {guard}():
    import skops.io
    import sklearn.utils

print(*sorted(sys.modules.keys() & {UNUSED}))
print(sklearn.utils.all_estimators.__module__)
"""
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert f"{' '.join(expected)}\nsklearn.utils.discovery\n" == ended.stdout


def test_versions_for_which_imports_are_kept_away_are_known() -> None:
    """With a new version, see that models of all kinds still load in the service; then name it here."""
    assert ["1.9", "0.16"] == [version(name).rpartition(".")[0] for name in ("scikit-learn", "skops")]


def test_a_bundle_can_be_checked_without_serving_it(done: Path) -> None:
    """It is loaded, with its own code, and answers its golden cases; then that is all."""
    command = [sys.executable, "-m", "gitops_ml", "serve", "--check"]
    good = subprocess.run(command, cwd=done, capture_output=True, text=True)
    path = done / "build" / "bundle" / "golden.json"
    golden = GoldenRecord.read(path.parent)
    golden.model_copy(update={"outputs": golden.outputs[::-1]}).write(path.parent)
    write_manifest(path.parent)
    bad = subprocess.run(command, cwd=done, capture_output=True, text=True)

    assert (0, "build/bundle can be served.\n") == (good.returncode, good.stdout)
    assert (1, "") == (bad.returncode, bad.stdout)
    assert bad.stderr.startswith("Error: build/bundle does not predict what it did when it was made")


def test_a_bundle_is_all_that_is_needed(done: Path) -> None:
    """Without ``params.yaml`` the settings are the defaults, and that is said."""
    (done / "params.yaml").unlink()
    command = [sys.executable, "-m", "gitops_ml", "serve", "--check"]
    ended = subprocess.run(command, cwd=done, check=True, capture_output=True, text=True)

    assert "build/bundle can be served.\n" == ended.stdout
    assert "params.yaml is not here: all settings are at their defaults, without a log.\n" == ended.stderr


def test_what_cannot_be_served_is_said_in_one_sentence(done: Path) -> None:
    """A bundle that is not there, or is not as its manifest says, does not start."""
    missing = mlops("serve", "--bundle", "nowhere", "--port", "0")
    shutil.copytree(done / "build" / "bundle", done / "other")
    (done / "other" / "model.skops").write_bytes(b"?")
    tampered = mlops("serve", "--bundle", "other", "--port", "0")

    assert (1, 1) == (missing.exit_code, tampered.exit_code)
    assert missing.stderr.startswith("Error: nowhere/lineage.json is missing")
    assert "Error: other is not as its manifest says: model.skops has changed.\n" == tampered.stderr
