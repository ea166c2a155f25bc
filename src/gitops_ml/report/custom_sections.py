"""Sections of the report that are a team's own, as functions that ``params.yaml`` names."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from copy import deepcopy

from ..comparison.review import ReviewContext
from ..core.errors import describe_error
from ..core.formatting import shorten
from ..core.project import NamedFunction, name_function
from ..core.records import ReportSection, SectionsRecord
from ..core.settings import Settings
from .fragment import find_problem


def find_sections(settings: Settings) -> list[NamedFunction]:
    """Return the functions that ``report.sections`` names.

    Raises
    ------
    LifecycleError
        If one is missing.
    """
    return [name_function(reference, "report.sections") for reference in settings.report.sections]


def write_sections(functions: Sequence[NamedFunction], context: ReviewContext) -> SectionsRecord:
    """Return what each function adds to the report.

    Parameters
    ----------
    functions : sequence of NamedFunction
        One that raises, or returns something else than Markdown, leaves a sentence about that. The
        traceback goes to standard error. One that returns an empty text adds nothing.
    context : ReviewContext
        Each function has a copy of its own.
    """
    sections = [_write(function, deepcopy(context)) for function in functions]
    return SectionsRecord(sections=[one for one in sections if one.markdown or one.html or one.problem])


def _write(function: NamedFunction, context: ReviewContext) -> ReportSection:
    try:
        section = _read_answer(function, function.call(context))
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        return ReportSection(
            title=function.title, problem=f"{function.reference} raised {describe_error(error)}"
        )
    if problem := find_problem(section.markdown):
        return ReportSection(title=section.title, problem=f"the Markdown of {function.reference}: {problem}")
    return section


def _read_answer(function: NamedFunction, answer: object) -> ReportSection:
    match answer:
        case str(markdown):
            return ReportSection(title=function.title, markdown=markdown.strip())
        case (str(title), str(markdown)):
            return ReportSection(title=title, markdown=markdown.strip())
        case (str(title), str(markdown), str(html)):
            return ReportSection(title=title, markdown=markdown.strip(), html=html)
        case _:
            returned = f"{function.reference} returned {shorten(repr(answer))}"
            expected = "expected Markdown, (title, Markdown) or (title, Markdown, HTML)"
            return ReportSection(title=function.title, problem=f"{returned}; {expected}")
