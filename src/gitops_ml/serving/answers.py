"""What the service says about a prediction."""

from __future__ import annotations

from typing import Any

from ..contract.export import ContractRecord
from ..metrics.prediction import Prediction


def tell_predictions(prediction: Prediction, contract: ContractRecord) -> list[dict[str, Any]]:
    """Return one object a row, of plain Python values.

    Classification: ``label`` and, for models that have them, ``probabilities`` by class; both name
    classes as the contract does. Regression: ``value``.
    """
    if contract.problem == "regression":
        return [{"value": value} for value in prediction.label.tolist()]
    labels = [str(label) for label in prediction.label]
    if prediction.probability is None:
        return [{"label": label} for label in labels]
    return [
        {"label": label, "probabilities": dict(zip(contract.classes, row, strict=True))}
        for label, row in zip(labels, prediction.probability.tolist(), strict=True)
    ]


def describe_prediction(contract: ContractRecord, has_probabilities: bool) -> dict[str, Any]:
    """Return the JSON Schema of one prediction."""
    if contract.problem == "regression":
        parts: dict[str, Any] = {"value": {"type": "number", "description": f"predicted {contract.target}"}}
    else:
        parts = {"label": {"enum": contract.classes, "description": f"predicted {contract.target}"}}
    if has_probabilities:
        share = {"type": "number", "minimum": 0, "maximum": 1}
        parts["probabilities"] = {
            "type": "object",
            "properties": dict.fromkeys(contract.classes, share),
            "required": contract.classes,
            "description": "of each class; they add up to 1",
        }
    return {"type": "object", "properties": parts, "required": list(parts)}
