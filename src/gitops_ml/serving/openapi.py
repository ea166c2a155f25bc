"""The OpenAPI description of the service: requests from the contract, examples from ``golden.json``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from typing_extensions import TypedDict

from ..contract.export import ContractRecord
from .errors import ErrorBody, ProblemsBody
from .model import Model
from .record_type import make_record_type
from .requests import ARROW, CSV, JSON

Answers = dict[int | str, dict[str, Any]]


class ModelFacts(BaseModel):
    """What ``GET /model`` answers."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    version: str | None
    card: str
    """The model card, Markdown."""
    contract: ContractRecord


class Status(BaseModel):
    """What a healthy service answers."""

    status: str


def _tell(body: type[BaseModel], description: str) -> dict[str, Any]:
    return {"model": body, "description": description}


UNAUTHORISED: Answers = {401: _tell(ErrorBody, "The bearer token is missing or wrong.")}
UNREADY: Answers = {503: _tell(ErrorBody, "It is about to end, or its model is not at work.")}
ERRORS: Answers = {
    **UNAUTHORISED,
    413: _tell(ErrorBody, "Too many records, or too large a body."),
    415: _tell(ErrorBody, "A content type that is not known."),
    422: _tell(ProblemsBody, "Values that are not as the contract wants them, and their places."),
    500: _tell(ErrorBody, "The model fails on these rows, which is a mistake of the model."),
    503: _tell(ErrorBody, "Too much is waiting; try again after the seconds in `Retry-After`."),
}


def describe_body(model: Model) -> dict[str, Any]:
    """Return the request body of ``POST /predict``."""
    record = TypeAdapter(make_record_type(model.contract)).json_schema()
    examples = model.golden.inputs[:2]
    checks = "; ".join(model.contract.checks)
    return {
        "required": True,
        "description": "One record or many."
        + (f" Checks across columns are not made here: {checks}." if checks else ""),
        "content": {
            JSON: {
                "schema": {"oneOf": [record, {"type": "array", "items": record, "minItems": 1}]},
                "examples": {
                    "one": {"summary": "One record", "value": examples[0]},
                    "many": {"summary": "Several records", "value": examples},
                },
            },
            CSV: {"schema": {"type": "string", "description": "With a header; an empty field is null."}},
            ARROW: {"schema": {"type": "string", "format": "binary"}},
        },
    }


def make_answer_type(model: Model) -> type[BaseModel]:
    """Return the model of what ``POST /predict`` answers."""
    prediction = _make_prediction_type(model)
    return create_model(
        "Predictions",
        version=(str | None, ...),
        predictions=(list[prediction], ...),  # type: ignore[valid-type]
    )


def _make_prediction_type(model: Model) -> Any:
    contract = model.contract
    told = f"predicted {contract.target}"
    if contract.problem == "regression":
        return create_model("Prediction", value=Annotated[float, Field(description=told)])
    fields: dict[str, Any] = {"label": Annotated[Literal[tuple(contract.classes)], Field(description=told)]}
    if model.has_probabilities:
        make: Any = TypedDict  # a class may have any name
        shares = make("Probabilities", dict.fromkeys(contract.classes, Annotated[float, Field(ge=0, le=1)]))
        fields["probabilities"] = Annotated[shares, Field(description="of each class; they add up to 1")]
    return create_model("Prediction", **fields)
