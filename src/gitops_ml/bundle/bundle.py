"""The bundle: the folder that is deployed."""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from importlib.metadata import packages_distributions, version
from pathlib import Path

from sklearn.base import BaseEstimator

from .columns import ContractRecord, describe_contract
from .errors import LifecycleError
from .golden import choose_golden
from .persistence import list_types, load_model, save_model
from .profile import describe_data
from .records import EvaluationRecord, Records, TrainingRecord, write_text
from .requirements import pin_requirements
from .runkey import PACKAGE, list_own_modules
from .seal import REQUIREMENTS, LineageRecord, MetricsRecord, verify_bundle
from .settings import Settings
from .split import Split

MODEL = "model.skops"
# The modules that the model was made with, which it may name.
CODE = "code"
# What loading a bundle and predicting with it imports; LightGBM and XGBoost come on top where used.
RUNTIME = ["joblib", "numpy", "pandas", "pydantic", "pyyaml", "scikit-learn", "scipy", "skops"]
# What `mlops serve` imports beyond that.
SERVICE = ["fastapi", "fsspec", "httptools", "orjson", "prometheus-client", "pyarrow", "threadpoolctl"]
SERVICE += ["typer", "uvicorn", *([] if sys.platform == "win32" else ["uvloop"])]


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files are as they were sealed."""

    folder: Path
    model: BaseEstimator
    contract: ContractRecord
    lineage: LineageRecord


def write_bundle(
    folder: Path, model: BaseEstimator, split: Split, settings: Settings, records: Records, root: Path
) -> None:
    """Write everything but the model card and the manifest, replacing a bundle that is there.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    model : estimator
        The challenger, fitted.
    split : Split
    settings : Settings
    records : Records
        With training and evaluation.
    root : Path
        Of the project; ``data.lock`` and ``requirements.txt`` lie there.
    """
    assert records.training is not None
    assert records.evaluation is not None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    save_model(model, folder / MODEL)
    _keep_code(folder / CODE)
    _forget_times(records.training).write(folder)
    describe_contract(split.train, settings, records.training).write(folder)
    describe_data(model, split, settings).write(folder)
    choose_golden(model, split, settings).write(folder)
    _tell_metrics(records.evaluation, settings).write(folder)
    _trace_lineage(records, records.training, settings, root).write(folder)
    lock = (root / REQUIREMENTS).read_text(encoding="utf-8")
    write_text(folder / REQUIREMENTS, pin_requirements(_list_packages(folder / MODEL), lock))


def load_bundle(folder: Path) -> Bundle:
    """Verify a bundle, then load it.

    Raises
    ------
    LifecycleError
        If the bundle is not as it was sealed, or its model names a type that is not allowed.
    """
    verify_bundle(folder)
    return Bundle(
        folder=folder,
        model=load_model(folder / MODEL),
        contract=ContractRecord.read(folder),
        lineage=LineageRecord.read(folder),
    )


def use_code(folder: Path) -> None:
    """Let the modules that a bundle keeps take the place of this project's, if none is imported yet.

    They stay: a process speaks for one bundle.
    """
    # Read only: a cache of compiled modules would not belong to the bundle.
    sys.dont_write_bytecode = True
    import_module(PACKAGE.name).__path__.insert(0, str(folder.absolute() / CODE))


def require_runtime(lineage: LineageRecord) -> None:
    """Hold the Python and the scikit-learn at work against those that made a model.

    Raises
    ------
    LifecycleError
        If the minor version of Python, or the version of scikit-learn, is another one.
    """
    made, here = _minor(lineage.python), _minor(platform.python_version())
    made_with, installed = lineage.libraries["scikit-learn"], version("scikit-learn")
    if (made, made_with) != (here, installed):
        raise LifecycleError(
            f"The model was made with Python {made} and scikit-learn {made_with}, but here are Python {here} "
            f"and scikit-learn {installed}; install {REQUIREMENTS} of its bundle with Python {made}."
        )


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])


def _keep_code(folder: Path) -> None:
    """Keep the modules that features and models are written in, so that a later commit can compare."""
    for path in list_own_modules():
        target = folder / path.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _forget_times(training: TrainingRecord) -> TrainingRecord:
    """Return the record without wall times: same inputs, same bytes."""
    candidates = [candidate.model_copy(update={"seconds": 0.0}) for candidate in training.candidates]
    return training.model_copy(update={"candidates": candidates, "seconds": 0.0})


def _tell_metrics(evaluation: EvaluationRecord, settings: Settings) -> MetricsRecord:
    return MetricsRecord(
        rows=evaluation.rows,
        primary=settings.train.metric,
        metrics=evaluation.metrics,
        slices=evaluation.slices,
        importances=evaluation.importances,
    )


def _trace_lineage(
    records: Records, training: TrainingRecord, settings: Settings, root: Path
) -> LineageRecord:
    return LineageRecord(
        commit=records.run.commit,
        dirty=records.run.dirty,
        run_key=training.run_key,
        data_lock=sha256((root / "data.lock").read_bytes()).hexdigest(),
        challenger=training.challenger,
        split=settings.split.by,
        boundary=training.boundary,
        train_rows=training.train_rows,
        test_rows=training.test_rows,
        python=records.run.python,
        libraries=records.run.libraries,
    )


def _list_packages(model: Path) -> list[str]:
    """Return the packages that loading the model, and serving it, imports."""
    tops = {name.partition(".")[0] for name in list_types(model)}
    extra = [packages_distributions()[top][0] for top in sorted(tops & {"lightgbm", "xgboost"})]
    return [*RUNTIME, *SERVICE, *extra]
