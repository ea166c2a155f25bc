"""Golden cases: inputs with the outputs that a model must give for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ..contract.export import ContractRecord, restore_frame, to_json
from ..core.records import Record
from ..core.settings import Settings
from ..data.split import Split, features_and_target

GOLDEN_ROWS = 20


class GoldenRecord(Record):
    """``golden.json``: what a service with this model must answer."""

    inputs: list[dict[str, Any]]
    """Rows of the test part, spread over all of it: the features by name, as JSON has them."""
    outputs: list[Any]
    """For each row the probabilities of the contract's classes in order, or the value; for a
    classifier without probabilities the label."""

    def agrees_with(self, answers: list[Any]) -> bool:
        """Tell whether answers are the outputs, up to what other processors may round otherwise."""
        if not all(isinstance(value, int | float) for value in np.ravel(np.asarray(answers, object))):
            return [str(answer) for answer in answers] == [str(output) for output in self.outputs]
        given, expected = np.asarray(answers), np.asarray(self.outputs)
        return bool(given.shape == expected.shape and np.allclose(given, expected, rtol=1e-6, atol=1e-9))


def choose_golden(model: BaseEstimator, split: Split, settings: Settings) -> GoldenRecord:
    """Take rows of the test part, from the beginning, the end and evenly in between."""
    positions = np.unique(np.linspace(0, len(split.test) - 1, GOLDEN_ROWS).round().astype(int))
    features, _ = features_and_target(split.test.iloc[positions], settings)
    columns = {str(name): [to_json(value) for value in column] for name, column in features.items()}
    predict = getattr(model, "predict_proba", model.predict)
    return GoldenRecord(
        inputs=[dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
        outputs=predict(features).tolist(),
    )


def replay_golden(model: BaseEstimator, folder: Path, contract: ContractRecord) -> bool:
    """Tell whether a model answers the inputs of ``golden.json`` as it did when it was made.

    Parameters
    ----------
    model : estimator
        Of the bundle.
    folder : Path
        The bundle.
    contract : ContractRecord
        Of the bundle.
    """
    golden = GoldenRecord.read(folder)
    rows = restore_frame(golden.inputs, contract)
    return golden.agrees_with(np.asarray(getattr(model, "predict_proba", model.predict)(rows)).tolist())
