"""The bundle: the folder that is deployed."""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import packages_distributions, version
from pathlib import Path

from sklearn.base import BaseEstimator

from ..contract.export import ContractRecord, describe_contract
from ..core.errors import LifecycleError
from ..core.layout import CODE, MODEL, REQUIREMENTS, VENDOR
from ..core.project import choose_package, find_folder, list_modules
from ..core.records import EvaluationRecord, Records, TrainingRecord, write_text
from ..core.settings import Settings
from ..data.split import Split
from ..drift.profile import profile_data
from .golden import choose_golden
from .manifest import LineageRecord, MetricsRecord, verify_bundle
from .model_file import list_types, load_model, save_model
from .requirements import pin_requirements

# This library, whose core is what loading a bundle and serving it imports.
LIBRARY = "gitops-ml"


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files are as its manifest says."""

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
    _copy_code(folder / CODE)
    _drop_times(records.training).write(folder)
    describe_contract(split.train, settings, records.training).write(folder)
    profile_data(model, split, settings).write(folder)
    choose_golden(model, split, settings).write(folder)
    _collect_metrics(records.evaluation, settings).write(folder)
    _record_lineage(records, records.training, settings, root).write(folder)
    _copy_library(root, folder / VENDOR)
    write_text(folder / REQUIREMENTS, _pin_packages(folder, root))


def load_bundle(folder: Path) -> Bundle:
    """Verify a bundle, then load it.

    Raises
    ------
    LifecycleError
        If the bundle is not as its manifest says, or its model names a type that is not allowed.
    """
    verify_bundle(folder)
    return Bundle(
        folder=folder,
        model=load_model(folder / MODEL),
        contract=ContractRecord.read(folder),
        lineage=LineageRecord.read(folder),
    )


def open_bundle(folder: str | Path) -> Bundle:
    """Load a bundle in a process that does nothing else with its project's package.

    The code that the bundle keeps is what its model runs with.

    Parameters
    ----------
    folder : str or Path
        Such as ``build/bundle``, or ``bundle`` of an unpacked ``bundle.tar.gz``.

    Returns
    -------
    Bundle
        ``bundle.model`` is the fitted estimator.

    Raises
    ------
    LifecycleError
        As ``load_bundle`` does, or if the bundle's package is already imported from elsewhere.
    """
    folder = Path(folder)
    verify_bundle(folder)
    imported = getattr(sys.modules.get(_name_package(folder) or ""), "__file__", None)
    if imported and not Path(imported).is_relative_to(folder.absolute()):
        raise LifecycleError(
            f"{folder} runs with its own code, but a package of its name is imported from {imported}; "
            "load it in a process of its own."
        )
    use_code(folder)
    return load_bundle(folder)


def use_code(folder: Path) -> None:
    """Let the package that a bundle keeps take the place of this project's, if it is not imported yet.

    It stays: a process speaks for one bundle. What is no bundle is left to ``load_bundle`` to refuse.
    """
    code = folder.absolute() / CODE
    name = _name_package(folder)
    if name is None:
        return
    # Read only: a cache of compiled modules would not belong to the bundle.
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(code))
    choose_package(name)


def _name_package(folder: Path) -> str | None:
    """Return the name of the package that a bundle keeps; None where there is none."""
    return next((path.name for path in sorted((folder / CODE).glob("*"))), None)


def require_runtime(lineage: LineageRecord) -> None:
    """Require the versions of Python and scikit-learn that a model was made with.

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


def _copy_code(folder: Path) -> None:
    """Keep the modules that features and models are written in, so that a later commit can compare."""
    package = find_folder()
    for path in list_modules():
        target = folder / package.name / path.relative_to(package)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _drop_times(training: TrainingRecord) -> TrainingRecord:
    """Return the record without wall times: same inputs, same bytes."""
    candidates = [candidate.model_copy(update={"seconds": 0.0}) for candidate in training.candidates]
    return training.model_copy(update={"candidates": candidates, "seconds": 0.0})


def _collect_metrics(evaluation: EvaluationRecord, settings: Settings) -> MetricsRecord:
    return MetricsRecord(
        rows=evaluation.rows,
        primary=settings.train.metric,
        metrics=evaluation.metrics,
        slices=evaluation.slices,
        importances=evaluation.importances,
    )


def _record_lineage(
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


def _copy_library(root: Path, folder: Path) -> None:
    """Keep the wheel of this library, so that the bundle can be served when the project has moved on."""
    wheels = sorted((root / VENDOR).glob("*.whl"))
    if wheels:
        folder.mkdir()
    for wheel in wheels:
        shutil.copyfile(wheel, folder / wheel.name)


def _pin_packages(folder: Path, root: Path) -> str:
    """Return the bundle's ``requirements.txt``: every package that serving it needs, with its hashes."""
    locks = [path for path in (root / REQUIREMENTS, root / VENDOR / REQUIREMENTS) if path.is_file()]
    lock = "\n".join(path.read_text(encoding="utf-8") for path in locks)
    links = f"--find-links {VENDOR}\n" if (folder / VENDOR).is_dir() else ""
    return links + pin_requirements(_list_packages(folder / MODEL), lock)


def _list_packages(model: Path) -> list[str]:
    """Return the packages that loading the model, and serving it, imports."""
    tops = {name.partition(".")[0] for name in list_types(model)}
    extra = [packages_distributions()[top][0] for top in sorted(tops & {"lightgbm", "xgboost"})]
    return [LIBRARY, *extra]
