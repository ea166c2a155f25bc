"""What must come of a scene: said where it does, and counted where it does not."""

from __future__ import annotations

import math

from .service import Answer, ServiceError, ask_service
from .stage import Stage
from .timeline import BAD, GOOD


class SceneError(Exception):
    """The story cannot go on."""


def expect_report(stage: Stage, number: int, conclusion: str, verdict: str) -> None:
    """Say what the report and the check are, and whether they are what the scene is about."""
    found, check = stage.read_verdict(number), stage.find_check(number)
    reports = len(stage.read_reports(number))
    stage.timeline.tell(f"The report on #{number}: {found}", GOOD if check == "success" else BAD)
    holds = (conclusion, 1) == (check, reports) and verdict.lower() in found.lower()
    wanted = f"{verdict or 'bad data'}, one report, gate {conclusion}"
    stage.timeline.expect(
        holds,
        f"#{number}: one report, and the check gate is {check}",
        f"{reports} reports on #{number}, gate {check}; expected: {wanted}",
    )


def merge(stage: Stage, number: int) -> None:
    """Merge a pull request, and wait for what follows."""
    obstacle = stage.merge(number)
    stage.timeline.expect(obstacle is None, f"#{number} is merged", f"#{number} cannot be merged: {obstacle}")
    stage.play()


def expect_version(stage: Stage, version: int | None) -> None:
    """Say which model is in production."""
    found = stage.read_production()
    stage.timeline.expect(
        found == version,
        f"Model {found} is in production",
        f"model {found} is in production; expected: model {version}",
    )


def expect_answer(stage: Stage, version: int) -> None:
    """Start what production runs, ask it for a prediction, and say what it answers."""
    try:
        answer = ask_service(stage)
    except ServiceError as error:
        stage.timeline.expect(False, "", f"the service of model {version} does not work: {error}")
        return
    stage.timeline.expect(
        answer.version == str(version) and _agrees(answer),
        f"The service answers with model {version}: {_describe(answer)}",
        f"the service's answer is {answer}; expected: one of model {version}",
    )


def expect_refusal(stage: Stage, number: int) -> None:
    """Try to merge what must not be merged, and say why not."""
    obstacle = stage.merge(number)
    stage.timeline.expect(
        obstacle is not None, f"#{number} cannot be merged: {obstacle}", f"#{number} could be merged"
    )


def _agrees(answer: Answer) -> bool:
    """Tell whether a prediction is what ``golden.json`` has, up to what other batches round otherwise."""
    prediction, expected = answer.prediction, answer.expected
    if "probabilities" in prediction:
        shares = prediction["probabilities"].values()
        return all(math.isclose(*pair, rel_tol=1e-6) for pair in zip(shares, expected, strict=True))
    if "value" in prediction:
        return math.isclose(prediction["value"], expected, rel_tol=1e-6)
    return bool(prediction["label"] == str(expected))


def _describe(answer: Answer) -> str:
    prediction = answer.prediction
    if "value" in prediction:
        return f"{answer.target} = {prediction['value']:.4g}"
    share = prediction.get("probabilities", {}).get(prediction["label"])
    chance = "" if share is None else f" with probability {share:.2f}"
    return f"{answer.target} = {prediction['label']}{chance}"
