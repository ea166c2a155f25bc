"""The OpenAPI description of the service, from the contract and ``golden.json``."""

from __future__ import annotations

from typing import Any

from .answers import describe_prediction
from .errors import MAX_PROBLEMS
from .json_schema import describe_schema
from .model import Model
from .requests import ARROW, CSV, JSON
from .validation import Checker

BINARY = {"type": "string", "format": "binary"}
PROBLEM = {
    "type": "object",
    "properties": {
        "row": {"type": ["integer", "null"], "description": "position of the record, from 0"},
        "column": {"type": ["string", "null"]},
        "expected": {"type": "string"},
        "came": {"type": "string"},
    },
    "required": ["row", "column", "expected", "came"],
}
DETAIL = {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}
PROBLEMS = {
    "type": "object",
    "properties": {
        "detail": {"type": "string"},
        "count": {"type": "integer", "description": f"of problems; the first {MAX_PROBLEMS} are listed"},
        "problems": {"type": "array", "items": PROBLEM},
    },
    "required": ["detail", "count", "problems"],
}
REFUSALS = {
    413: "Too many records, or too large a body.",
    415: "A content type that is not known.",
    500: "The model fails on these rows, which is a mistake of the model.",
    503: "Too much is waiting; try again after the seconds in `Retry-After`.",
}


def describe_answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the description of an answer in JSON."""
    return {"description": description, "content": {JSON: {"schema": schema}}}


Answers = dict[int | str, dict[str, Any]]
UNAUTHORISED: Answers = {
    401: describe_answer("The bearer token is missing or wrong.", DETAIL),
}


def describe_predict(model: Model) -> tuple[dict[str, Any], Answers]:
    """Return what ``POST /predict`` takes, and its answers by status."""
    record = describe_record(model)
    examples = model.golden.inputs[:2]
    body = {
        "required": True,
        "description": "One record or many. " + _tell_unchecked(model),
        "content": {
            JSON: {
                "schema": {"oneOf": [record, {"type": "array", "items": record, "minItems": 1}]},
                "examples": {
                    "one": {"summary": "One record", "value": examples[0]},
                    "many": {"summary": "Several records", "value": examples},
                },
            },
            CSV: {"schema": {"type": "string", "description": "With a header; an empty field is null."}},
            ARROW: {"schema": BINARY},
        },
    }
    return body, {
        200: describe_answer(
            "One prediction a record, in the order of the records.", _describe_success(model)
        ),
        422: describe_answer("Each value that is not as the contract wants it, and its place.", PROBLEMS),
        **UNAUTHORISED,
        **{status: describe_answer(told, DETAIL) for status, told in REFUSALS.items()},
    }


def describe_record(model: Model) -> dict[str, Any]:
    """Return the JSON Schema of one record."""
    contract, rules = model.contract, Checker(model.contract).rules
    properties = {rule.column.name: describe_schema(rule.column, rule.takes_null) for rule in rules}
    if contract.id is not None:
        properties[contract.id] = {
            "type": ["string", "integer", "null"],
            "description": "names the record in the prediction log; not a feature",
        }
    return {
        "type": "object",
        "properties": properties,
        "required": [rule.column.name for rule in rules if rule.column.required or not rule.takes_null],
    }


def _describe_success(model: Model) -> dict[str, Any]:
    prediction = describe_prediction(model.contract, hasattr(model.estimator, "predict_proba"))
    return {
        "type": "object",
        "properties": {
            "version": {"type": ["string", "null"], "description": "of the model"},
            "predictions": {"type": "array", "items": prediction},
        },
        "required": ["version", "predictions"],
    }


def _tell_unchecked(model: Model) -> str:
    checks = "; ".join(model.contract.checks)
    return f"Checks across columns are not made here: {checks}." if checks else ""
