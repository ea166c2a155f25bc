"""The scenes about watching production: data arrive, an alarm is raised, a retraining is proposed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .edits import allow_no_loss, deliver_data, hold_data_back, take_data_back
from .expectations import SceneError, expect_refusal, expect_report, expect_version, merge
from .runner import Run
from .stage import MONITOR, OWNER, TRAIN, Stage

RETRAIN = "retrain"
# Lines of a log that say why a check did not succeed.
LAST = 20


def quiet(stage: Stage) -> None:
    """From now on new data are fetched from where they are delivered; as yet there are none."""
    _let_data_be_delivered(stage)
    _check(stage)
    _expect_issue(stage, None)
    _expect_proposal(stage, 0)


def drift(stage: Stage) -> None:
    """Two months arrive that look different: the second check raises the alarm."""
    _let_data_be_delivered(stage)
    _deliver(stage, 2)
    _check(stage)
    _expect_issue(stage, None)
    _check(stage)
    _expect_issue(stage, "open")
    number = _expect_proposal(stage, 1)
    expect_report(stage, number, "success", "")


def again(stage: Stage) -> None:
    """The next check finds the same: nothing is opened twice, and nothing judged twice."""
    if not _find_proposals(stage):
        drift(stage)
    runs = _check(stage)
    _expect_issue(stage, "open")
    _expect_proposal(stage, 1)
    judged = [run for run in runs if run.workflow.path == TRAIN]
    stage.timeline.expect(judged == [], "the same proposal is not judged twice", "it was judged once more")


def retrain(stage: Stage) -> None:
    """The retraining is merged and deployed; what it was trained on is no news, and the issue is closed."""
    if not _find_proposals(stage):
        drift(stage)
    before = stage.read_production() or 0
    [proposal] = _find_proposals(stage)
    merge(stage, proposal["number"])
    expect_version(stage, before + 1)
    _check(stage)
    _expect_issue(stage, "closed")


def not_better(stage: Stage) -> None:
    """The owners want gains from now on; the next months bring none, and the retraining is kept out."""
    if not (stage.folder / "delivery").is_dir():
        retrain(stage)
    stage.begin("main")
    allow_no_loss(stage.project)
    stage.push("main", "Accept no loss at all")
    stage.timeline.tell(f"{OWNER} sets the margin to nothing")
    stage.play()
    _deliver(stage, 2)
    _check(stage)
    _check(stage)
    _expect_issue(stage, "open")
    number = _expect_proposal(stage, 1)
    expect_report(stage, number, "failure", "")
    expect_refusal(stage, number)


def recover(stage: Stage) -> None:
    """The months were a mistake and are taken back: the next check is quiet, and the issue is closed."""
    if not _find_proposals(stage):
        drift(stage)
    before = stage.read_production()
    names = take_data_back(stage.folder / "delivery")
    stage.timeline.tell(f"Taken back: {', '.join(names)}")
    _check(stage)
    _expect_issue(stage, "closed")
    _expect_proposal(stage, 1)
    expect_version(stage, before)


def _let_data_be_delivered(stage: Stage) -> None:
    delivery = stage.folder / "delivery"
    if delivery.is_dir():
        return
    stage.begin("main")
    hold_data_back(stage.project, stage.folder / "to come", delivery)
    stage.push("main", "Fetch new data from where they are delivered")
    stage.timeline.tell(f"{OWNER} says in params.yaml where new data are delivered")
    stage.play()


def _deliver(stage: Stage, count: int) -> None:
    names = deliver_data(stage.folder / "to come", stage.folder / "delivery", count)
    if not names:
        raise SceneError(
            "There are no more data to be delivered; this scene needs some that nobody has accepted."
        )
    stage.timeline.tell(f"Delivered: {', '.join(names)}")


def _check(stage: Stage) -> list[Run]:
    """Start a check, as the schedule would, and return all runs that came of it."""
    runs = stage.dispatch(Path(MONITOR).name)
    for run in runs:
        if run.workflow.path == MONITOR and run.conclusion != "success":
            end = run.outcome.log.splitlines()[-LAST:]
            stage.timeline.expect(False, "", "\n".join([f"the check is {run.conclusion}:", *end]))
    return runs


def _expect_issue(stage: Stage, state: str | None) -> None:
    """Say whether the issue about production is open; there is at most one that is."""
    issues = stage.client().get("issues?state=all&labels=monitoring")
    newest = issues[0]["state"] if issues else None
    count = sum(issue["state"] == "open" for issue in issues)
    told = {
        None: "no issue is open",
        "open": f"one issue is open: #{issues[0]['number']}" if issues else "",
        "closed": f"issue #{issues[0]['number']} is closed" if issues else "",
    }
    holds = newest == state and count == (state == "open")
    found = f"{count} issues are open, the newest is {newest}"
    stage.timeline.expect(holds, told[state], f"{found}; expected: {state}")


def _expect_proposal(stage: Stage, count: int) -> int:
    """Say how many retraining pull requests are open, and return the number of the newest."""
    numbers = [pull["number"] for pull in _find_proposals(stage)]
    told = f"one retraining pull request is open: #{numbers[0]}" if numbers else "no retraining is proposed"
    stage.timeline.expect(
        len(numbers) == count, told, f"{len(numbers)} retraining pull requests are open; expected: {count}"
    )
    if count and not numbers:
        raise SceneError("There is no retraining pull request to go on with.")
    return numbers[0] if numbers else 0


def _find_proposals(stage: Stage) -> list[dict[str, Any]]:
    pulls: list[dict[str, Any]] = stage.client().get(f"pulls?state=open&head={OWNER}:{RETRAIN}")
    return pulls
