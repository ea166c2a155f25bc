"""Predictions of a champion for rows of today, made with the code of its own bundle.

A model's file names functions and classes of ``features.py`` and ``models.py``. Loaded into the
process of a change that has edited them, a champion would quietly predict with the code of its
challenger. So it is asked in a process of its own, in which those modules are the ones that its
bundle keeps; and it must still answer ``golden.json`` as it did when it was made.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..core.errors import LifecycleError, describe_error
from ..metrics.prediction import Prediction

ROWS, ANSWERS = "rows.pickle", "answers.npz"


class IncomparableError(LifecycleError):
    """Two models cannot be compared."""


@dataclass(frozen=True)
class Answers:
    """What a model predicts."""

    prediction: Prediction
    classes: np.ndarray
    """In the order of the probabilities; empty for regression."""


def replay(bundle: Path, rows: pd.DataFrame, timeout: float) -> Answers:
    """Let the model of a bundle predict rows, in a process of its own.

    Parameters
    ----------
    bundle : Path
        Verified. Its code runs, as that of the commit which made it would.
    rows : DataFrame of shape (n_rows, n_features)
        The features of the bundle's contract, in its types.
    timeout : float
        Seconds.

    Raises
    ------
    IncomparableError
        If the model cannot be loaded, no longer answers as it did, or cannot predict these rows.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        rows.to_pickle(Path(folder) / ROWS)
        command = [sys.executable, "-m", f"{__package__}.replay", str(bundle.absolute()), folder]
        try:
            ended = subprocess.run(
                command,
                timeout=timeout,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise IncomparableError(f"its model took over {timeout:g} s to predict") from None
        if ended.returncode:
            reason = ended.stderr.strip().splitlines() or [f"its process ended with {ended.returncode}"]
            raise IncomparableError(reason[-1])
        return _read(Path(folder) / ANSWERS)


def _read(path: Path) -> Answers:
    with np.load(path, allow_pickle=False) as arrays:
        parts = {name: arrays[name] for name in arrays.files}
    return Answers(classes=parts.pop("classes"), prediction=Prediction(**parts))


def _answer(bundle: Path, folder: Path) -> None:
    """Predict the rows of a folder, in the process that has the code of the champion."""
    from ..bundle.bundle import load_bundle, use_code
    from ..bundle.golden import replay_golden
    from ..metrics.prediction import predict

    use_code(bundle)
    loaded = load_bundle(bundle)
    if not replay_golden(loaded.model, bundle, loaded.contract):
        raise IncomparableError(
            "with the libraries of this commit its model no longer predicts what it did when it was made"
        )
    with (folder / ROWS).open("rb") as file:
        rows = pickle.load(file)
    arrays = {**vars(predict(loaded.model, rows)), "classes": getattr(loaded.model, "classes_", np.empty(0))}
    plain: dict[str, Any] = {name: _plain(array) for name, array in arrays.items() if array is not None}
    np.savez(folder / ANSWERS, **plain)


def _plain(array: np.ndarray) -> np.ndarray:
    """Convert labels of type object, which a file without pickles cannot hold."""
    return np.asarray(array.tolist()) if array.dtype == object else array


if __name__ == "__main__":
    try:
        _answer(Path(sys.argv[1]), Path(sys.argv[2]))
    except LifecycleError as error:
        sys.exit(" ".join(str(error).split()))
    except Exception as error:
        sys.exit(" ".join(f"its model raised {describe_error(error)}".split()))
