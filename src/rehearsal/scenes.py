"""The scenes of a rehearsal: what people do to a project, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .edits import (
    accept_spoiled_data,
    allow_no_loss,
    be_curious,
    cripple_model,
    improve_model,
    improve_readme,
    learn_faster,
    waive_gates,
)
from .expectations import (
    SceneError,
    expect_answer,
    expect_refusal,
    expect_report,
    expect_version,
    merge,
)
from .stage import OWNER, STRANGER, TRAIN, Stage
from .watching import again, drift, not_better, quiet, recover, retrain


@dataclass(frozen=True)
class Scene:
    """A part of the story."""

    name: str
    summary: str
    play: Callable[[Stage], None]


def first_push(stage: Stage) -> None:
    """The project is pushed; main is trained, and its model goes into production."""
    stage.timeline.tell("The runner installs what the project requires")
    stage.find_python()
    stage.push("main", "Bake the project")
    stage.timeline.tell(f"{OWNER} pushes the project to main")
    stage.play()
    if stage.read_production() is None:
        raise SceneError(
            "The project as it is does not pass its own gates; run 'mlops run' in it to see why."
        )
    expect_version(stage, 1)


def nothing(stage: Stage) -> None:
    """A pull request changes words only: nothing is trained, and after its merge nothing is deployed."""
    before = stage.read_production()
    stage.begin("words")
    improve_readme(stage.project)
    number = stage.propose("words", "Say whom to ask", "For readers.")
    expect_report(stage, number, "success", "Nothing that can change the model has changed")
    merge(stage, number)
    expect_version(stage, before)


def better(stage: Stage) -> None:
    """A pull request makes the model better, is merged, and its model goes into production."""
    before = stage.read_production() or 0
    stage.begin("better")
    title, reason = improve_model(stage.project)
    number = stage.propose("better", title, reason)
    expect_report(stage, number, "success", "Better")
    merge(stage, number)
    expect_version(stage, before + 1)
    expect_answer(stage, before + 1)


def worse(stage: Stage) -> None:
    """A pull request makes the model worse, and cannot be merged."""
    stage.begin("faster")
    cripple_model(stage.project)
    body = "Training takes too long. Three small trees must be enough."
    number = stage.propose("faster", "Train in no time", body)
    expect_report(stage, number, "failure", "Worse")
    expect_refusal(stage, number)


def no_worse(stage: Stage) -> None:
    """A pull request changes the model a little; what it may cost is within the margin."""
    stage.begin("rate")
    learn_faster(stage.project)
    number = stage.propose("rate", "Learn a little faster", "It trains in less time.")
    expect_report(stage, number, "success", "No worse")


def cannot_tell(stage: Stage) -> None:
    """The same change, in a project that accepts no loss: the test rows are too few to be sure."""
    stage.begin("strict")
    learn_faster(stage.project)
    allow_no_loss(stage.project)
    number = stage.propose("strict", "Learn a little faster, at no cost", "It must cost nothing at all.")
    expect_report(stage, number, "failure", "Cannot tell")


def waiver(stage: Stage) -> None:
    """A worse model passes by a waiver, and no longer once that has expired."""
    stage.begin("waived")
    cripple_model(stage.project)
    waive_gates(stage.project, "2999-12-31")
    number = stage.propose("waived", "Train in no time, for now", "Until the new machine is here.")
    expect_report(stage, number, "success", "Worse")
    waive_gates(stage.project, "2020-12-31")
    stage.push("waived", "Date the waiver")
    stage.play()
    expect_report(stage, number, "failure", "Worse")


def bad_data(stage: Stage) -> None:
    """A pull request brings data that break the contract; nothing is trained on them."""
    stage.begin("more-data")
    name = accept_spoiled_data(stage.project, stage.find_python())
    body = "`mlops data accept` found something to complain about, so I wrote it into the lock by hand."
    number = stage.propose("more-data", f"Accept {name}", body)
    expect_report(stage, number, "failure", "")
    expect_refusal(stage, number)


def rollback(stage: Stage) -> None:
    """Somebody rolls production back, and forward again; each time its bundle is proved first."""
    if stage.read_production() == 1:
        better(stage)
    newest = stage.read_production() or 0
    stage.timeline.tell(f"{OWNER} rolls back")
    stage.dispatch("rollback.yml")
    expect_version(stage, newest - 1)
    expect_answer(stage, newest - 1)
    stage.timeline.tell(f"{OWNER} goes forward to model {newest}")
    stage.dispatch("rollback.yml", version=str(newest))
    expect_version(stage, newest)


def fork(stage: Stage) -> None:
    """A stranger's pull request gets its report like any other, and its run can write nothing."""
    stage.fork()
    stage.begin("tuning")
    learn_faster(stage.project)
    be_curious(stage.project)
    stage.push("tuning", "Learn faster", STRANGER, STRANGER)
    stage.forge.events.clear()  # what runs in the stranger's own repository is the stranger's affair
    head = f"{STRANGER}:tuning"
    number = stage.open("Learn faster", "A higher learning rate might help.", head, STRANGER)
    runs = [run for run in stage.play() if run.workflow.path == TRAIN]
    refused = any("Resource not accessible by integration" in run.outcome.log for run in runs)
    stage.timeline.expect(
        refused, "the fork's run tried to write a comment: refused", "the fork's run could write a comment"
    )
    reports = stage.read_reports(number)
    stage.timeline.expect(
        len(reports) == 1, f"#{number} has its report: {stage.read_verdict(number)}", "there is no report"
    )


FIRST = "first-push"
SCENES = {
    scene.name: scene
    for scene in (
        Scene(FIRST, "the project is pushed, and its model goes into production", first_push),
        Scene("nothing", "a pull request changes words only, and trains and deploys nothing", nothing),
        Scene("no-worse", "a pull request changes the model a little, within the margin", no_worse),
        Scene("cannot-tell", "the same without a margin: too few rows to be sure", cannot_tell),
        Scene("worse", "a pull request makes it worse, and cannot be merged", worse),
        Scene("waiver", "a worse model passes by a waiver, until that expires", waiver),
        Scene("bad-data", "a pull request brings data that break the contract", bad_data),
        Scene("fork", "a stranger's pull request, whose run can write nothing", fork),
        Scene("better", "a pull request makes it better, is merged, and deployed", better),
        Scene("rollback", "production goes back to the model before, and forward again", rollback),
        Scene("quiet", "a check of production finds nothing new, and opens nothing", quiet),
        Scene("drift", "new data look different: an issue, and a retraining pull request", drift),
        Scene("again", "the same is seen once more, and nothing is opened twice", again),
        Scene("retrain", "the retraining is merged and deployed, and the issue is closed", retrain),
        Scene("not-better", "another retraining is no gain, and cannot be merged", not_better),
        Scene("recover", "the new data are taken back, and the issue is closed", recover),
    )
}
