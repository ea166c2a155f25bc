"""The review of a challenger: against the champion, by policies, and in sections of a team's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.records import ChampionResult, ComparisonRecord
from .context import RunContext

if TYPE_CHECKING:
    from ..comparison.challenge import Challenge
    from ..comparison.replay import Answers


def challenge_champion(context: RunContext) -> Challenge | None:
    """Compare the challenger with the champion, unless there is none or they are the same."""
    champion = context.champion
    if champion is None:
        return None
    from ..comparison.challenge import Challenge, challenge

    version, commit, key = champion.version, champion.lineage.commit, context.run_key
    if champion.lineage.run_key == key:
        return Challenge(ChampionResult(version=version, commit=commit, run_key=key, same=True))
    test, dropped = context.split.test, context.champion_columns
    return challenge(_predict(context), champion, test, dropped, context.settings)


def review(context: RunContext, record: ComparisonRecord, challenge: Challenge | None) -> ComparisonRecord:
    """Add the gates of policies, and keep what they saw for the sections of the report."""
    from ..comparison.policies import add_policies, find_policies
    from ..comparison.review import describe_review

    records = context.records.model_copy(update={"comparison": record})
    shown = describe_review(_predict(context), challenge, context.split.test, records, context.settings)
    record = add_policies(find_policies(context.settings), shown)
    context.review = replace(shown, comparison=record)
    return record


def write_sections(context: RunContext) -> None:
    """Write the sections of a team's own; without a comparison, those of the last one stay."""
    if context.review is None:
        return
    from ..report import custom_sections

    functions = custom_sections.find_sections(context.settings)
    context.keep(custom_sections.write_sections(functions, context.review))


def _predict(context: RunContext) -> Answers:
    """Return what the challenger predicts for the test part; after an evaluation, that is known."""
    if context.answers is None:
        from ..comparison.challenge import predict_test

        context.answers = predict_test(context.model, context.split.test, context.settings)
    return context.answers
