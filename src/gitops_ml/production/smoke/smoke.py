"""Smoke test of a package: it works, before it is deployed."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ...bundle.archive import unpack_bundle
from ...bundle.golden import GoldenRecord
from ...bundle.manifest import LineageRecord
from ...contract.export import ContractRecord, describe_columns
from ...core.errors import LifecycleError
from ...core.layout import REQUIREMENTS
from ...core.settings import PARAMS, Settings, read_settings
from .service_process import ServiceProcess, UnfitError, start_service
from .venv import make_venv


@dataclass(frozen=True)
class SmokeResult:
    """Measurements of a package that works."""

    lineage: LineageRecord
    """Where the model comes from."""
    ready_seconds: float
    """Until the service was ready; longer than later starts, as nothing was compiled yet."""
    latency_ms: float
    """Of a request with one row, the median."""


def smoke(package: Path, root: Path) -> SmokeResult:
    """Serve a package as production would, and let it answer ``golden.json``.

    Its bundle is held against its manifest and against today's contract. Then a clean environment is
    made of its ``requirements.txt``, the service is started in it, and must answer as the model did
    when it was made, soon enough, and end when it is told to.

    Parameters
    ----------
    package : Path
        As ``mlops package`` writes it.
    root : Path
        Of the project.

    Returns
    -------
    SmokeResult

    Raises
    ------
    LifecycleError
        If the package is not whole, has been tampered with, names a type that is not allowed, asks
        for what today's contract no longer has, or does not answer as it did.
    """
    settings = read_settings(root / PARAMS)
    with tempfile.TemporaryDirectory(prefix="mlops-") as name:
        folder = Path(name)
        bundle = unpack_bundle(package, folder)
        try:
            require_features(ContractRecord.read(bundle), settings)
            python = make_venv(
                bundle / REQUIREMENTS, LineageRecord.read(bundle).python, folder / "environment"
            )
            return try_bundle(bundle, python, settings)
        except UnfitError as error:
            raise LifecycleError(f"{package} does not work: {error}.") from None


def require_features(contract: ContractRecord, settings: Settings) -> None:
    """Require that the contract of ``schema.py``, by which clients go, has the columns of a model.

    Raises
    ------
    UnfitError
        If the contract no longer has a column, or has it as another kind of value.
    """
    kinds = {column.name: column.kind for column in contract.columns}
    today = {column.name: column.kind for column in describe_columns(pd.DataFrame(), settings)}
    for name in contract.features:
        if name not in today:
            raise UnfitError(f"its model needs '{name}', which the contract in schema.py no longer has")
        if kinds[name] != today[name] and (today[name], kinds[name]) != ("integer", "number"):
            raise UnfitError(
                f"its model takes '{name}' as {kinds[name]}, the contract in schema.py as {today[name]}"
            )


def try_bundle(bundle: Path, python: Path, settings: Settings) -> SmokeResult:
    """Serve a bundle with a Python interpreter, and compare its predictions with ``golden.json``.

    Raises
    ------
    UnfitError
        If it does not start, answers otherwise, is too slow or does not end.
    """
    contract, golden = ContractRecord.read(bundle), GoldenRecord.read(bundle)
    with (
        tempfile.TemporaryDirectory(prefix="mlops-") as folder,
        start_service(bundle, python, Path(folder)) as service,
    ):
        ready_seconds = service.wait()
        if not golden.agrees_with(_read_outputs(service.predict(golden.inputs), contract)):
            raise UnfitError("its service does not answer golden.json as the model did when it was made")
        latency_ms = _time_requests(service, golden.inputs)
        service.end()
    limit = settings.gates.max_latency_ms
    if limit is not None and latency_ms > limit:
        raise UnfitError(
            f"a request takes {latency_ms:.0f} ms; expected at most gates.max_latency_ms, {limit:g} ms"
        )
    return SmokeResult(LineageRecord.read(bundle), ready_seconds, latency_ms)


def _read_outputs(predictions: list[dict[str, Any]], contract: ContractRecord) -> list[Any]:
    """Return predictions of the service as ``golden.json`` has them."""
    if contract.problem == "regression":
        return [prediction["value"] for prediction in predictions]
    if not all("probabilities" in prediction for prediction in predictions):
        return [prediction["label"] for prediction in predictions]
    return [[prediction["probabilities"][name] for name in contract.classes] for prediction in predictions]


def _time_requests(service: ServiceProcess, rows: list[dict[str, Any]]) -> float:
    """Return the median of the milliseconds that requests of one row take."""
    times = []
    for row in rows:
        began = time.perf_counter()
        service.predict([row])
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000
