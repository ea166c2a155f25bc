"""Records validated against the contract, by pydantic."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import FailFast, TypeAdapter, ValidationError

from ..contract.export import ContractRecord
from .errors import MAX_PROBLEMS, Problem, reject_records, show
from .record_type import Record, make_record_type


class RecordValidator:
    """Validates records against the contract of a bundle."""

    def __init__(self, contract: ContractRecord) -> None:
        record = make_record_type(contract)
        several: Any = Annotated[list[record], FailFast()]  # type: ignore[valid-type]
        self._one: TypeAdapter[Record] = TypeAdapter(record)
        self._all: TypeAdapter[list[Record]] = TypeAdapter(several)

    def validate(self, records: list[Any]) -> list[Record]:
        """Return the records as the contract wants them, without columns that it does not know.

        Raises
        ------
        RequestError
            422, with every value that breaks the contract.
        """
        try:
            return self._all.validate_python(records)
        except ValidationError:
            raise reject_records(self._find_problems(records)) from None

    def _find_problems(self, records: list[Any]) -> list[Problem]:
        """Validate one record after the other, until there are more problems than are told."""
        problems: list[Problem] = []
        for row, record in enumerate(records):
            if len(problems) > MAX_PROBLEMS:
                break
            try:
                self._one.validate_python(record)
            except ValidationError as error:
                problems += [_tell(row, problem) for problem in error.errors(include_url=False)]
        return problems


def _tell(row: int, problem: Any) -> Problem:
    match problem["type"]:
        case "missing":
            expected, came = "a value", "nothing"
        case "dict_type":
            expected, came = "an object", show(problem["input"])
        case _:
            expected, came = problem["msg"].removeprefix("Input should be "), show(problem["input"])
    column = str(problem["loc"][0]) if problem["loc"] else None
    return Problem(row=row, column=column, expected=expected, came=came)
