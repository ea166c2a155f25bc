"""The model card: sections that people write in ``model_cards/``, and the facts of the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from skops.card import Card

from ..core import formatting
from ..core.records import (
    EvaluationRecord,
    Gate,
    MetricResult,
    Records,
    RunRecord,
    SliceResult,
    TrainingRecord,
    ValidationRecord,
)
from ..core.settings import Settings
from .card_sections import CardSection, read_metadata, read_sections
from .content import sort_metrics, sort_slices
from .headline import state_verdict
from .markdown import code, escape, make_markdown_environment, table

TASKS = {"classification": "tabular-classification", "regression": "tabular-regression"}
# More rows than this make a card unreadable; all are in the bundle's metrics.json.
MOST = 30


@dataclass(frozen=True)
class Facts:
    """The variables of the card's templates."""

    run: RunRecord
    validation: ValidationRecord
    training: TrainingRecord
    evaluation: EvaluationRecord
    sections: dict[str, CardSection]
    """What people wrote, by the names of the files."""
    target: str
    primary: MetricResult | None
    metrics: list[MetricResult]
    """The primary one first."""
    slices: list[SliceResult]
    """The worst first."""
    policies: list[Gate]
    """Gates of the team's own."""
    verdict: str
    """Empty where nothing has been compared yet."""
    period: str
    """From when to when the rows are."""
    boundary: str
    """Which rows the test part has."""


def render_card(records: Records, settings: Settings, model: Any, root: Path) -> str:
    """Return the model card as Markdown, with the front matter that the Hugging Face hub reads.

    Parameters
    ----------
    records : Records
        A run with validation, training and evaluation. Nothing that differs from run to run, such
        as the time it took, goes into the card.
    settings : Settings
        The settings of the run.
    model : estimator
        The challenger, whose parameters are listed.
    root : Path
        The project folder, with the sections that people write in ``model_cards/``.

    Raises
    ------
    LifecycleError
        If ``model_cards/metadata.yaml`` is missing or broken.
    """
    facts = _collect_facts(records, settings, read_sections(root))
    metadata = read_metadata(root)
    name = str(metadata["model_name"]).replace("/", "\\/")
    card = Card(model, template=None, model_diagram=False)
    card.add(**{name: _render("card_introduction.md.jinja", facts)})
    for section in ("description", "intended_use", "limitations", "ethics"):
        _add_human(card, name, facts.sections[section])
    _add_model(card, name, facts, model)
    _add_data(card, name, facts)
    _add_evaluation(card, name, facts)
    _add_slices(card, name, facts)
    _add_policies(card, name, facts)
    card.add(**{f"{name}/How to load the model": _render("card_loading.md.jinja", facts)})
    card.add(**{f"{name}/Lineage": _render("card_lineage.md.jinja", facts)})
    _add_human(card, name, facts.sections["contact"])
    front = _write_front_matter(metadata, settings, facts)
    return f"---\n{front}---\n{card.render()}"


def _collect_facts(records: Records, settings: Settings, sections: dict[str, CardSection]) -> Facts:
    validation, training, evaluation = records.validation, records.training, records.evaluation
    assert validation is not None
    assert training is not None
    assert evaluation is not None
    gates = records.comparison.gates if records.comparison else []
    return Facts(
        run=records.run,
        validation=validation,
        training=training,
        evaluation=evaluation,
        sections=sections,
        target=settings.data.target,
        primary=records.primary,
        metrics=sort_metrics(records),
        slices=sort_slices(records),
        policies=[gate for gate in gates if gate.policy],
        verdict=state_verdict(records.comparison) if records.comparison else "",
        period=formatting.write_period(validation.files),
        boundary=formatting.write_boundary(training),
    )


def _write_front_matter(metadata: dict[str, Any], settings: Settings, facts: Facts) -> str:
    task = TASKS[settings.problem]
    name = str(metadata["model_name"])
    result = {
        "task": {"type": task, "name": task.replace("-", " ").capitalize()},
        "dataset": {
            "type": name.lower().replace(" ", "-"),
            "name": f"Test part, {facts.boundary}",
        },
        "metrics": [
            {
                "type": metric.name,
                "name": formatting.name_metric(metric.name),
                "value": float(f"{metric.model.value:.6g}"),
            }
            for metric in facts.evaluation.metrics
        ],
    }
    front = metadata | {
        "library_name": "sklearn",
        "pipeline_tag": task,
        "tags": [*metadata.get("tags", []), "sklearn", "skops", task],
        "model-index": [{"name": name, "results": [result]}],
    }
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True)


def _add_human(card: Card, name: str, section: CardSection) -> None:
    text = section.text
    if not section.written:
        warning = f"> [!WARNING]\n> **Nobody has written this section yet.** Its place is `{section.path}`."
        text = f"{warning}\n\n{text}"
    card.add(**{f"{name}/{section.title}": text.rstrip()})


def _add_model(card: Card, name: str, facts: Facts, model: Any) -> None:
    card.add(**{f"{name}/Model": _render("card_model.md.jinja", facts)})
    pipeline = formatting.write_estimator(facts.training).replace("```", "'''")
    card.add(folded=True, **{f"{name}/Model/Pipeline": f"```text\n{pipeline}\n```"})
    parameters = _list_parameters(model)
    if parameters:
        card.add(folded=True, **{f"{name}/Model/Parameters": table(["Parameter", "Value"], parameters)})


def _list_parameters(model: Any) -> list[list[str]]:
    """List the parameters that are plain values: an estimator's own text may hold a memory address."""
    parameters = sorted(model.get_params(deep=True).items()) if hasattr(model, "get_params") else []
    return [
        [code(name, 120), code(value)] for name, value in parameters if isinstance(value, str | int | float)
    ]


def _add_data(card: Card, name: str, facts: Facts) -> None:
    text = _render("card_data.md.jinja", facts)
    rows = [
        [
            code(file.path, 120),
            f"{file.rows:,}",
            file.first or formatting.DASH,
            file.last or formatting.DASH,
            code(file.sha256[:12]),
        ]
        for file in facts.validation.files
    ]
    files = _cut_table(["File", "Rows", "From", "To", "SHA-256"], rows)
    card.add(**{f"{name}/Training data": f"{text}\n\n{files}"})


def _add_evaluation(card: Card, name: str, facts: Facts) -> None:
    text = _render("card_evaluation.md.jinja", facts)
    rows = [
        [
            f"{escape(formatting.name_metric(metric.name))} {'↑' if metric.greater_is_better else '↓'}",
            formatting.write_metric(metric.name, metric.model),
            formatting.write_metric(metric.name, metric.baseline, like=metric.model),
            formatting.write_metric(metric.name, metric.difference, like=metric.model, sign="+"),
        ]
        for metric in facts.metrics
    ]
    metrics = _cut_table(["Metric", "Model", "Baseline", "Better by"], rows)
    card.add(**{f"{name}/Evaluation": f"{text}\n\n{metrics}"})


def _add_slices(card: Card, name: str, facts: Facts) -> None:
    primary = facts.primary
    if primary is None or not facts.slices:
        return
    metric = escape(formatting.name_metric(primary.name))
    rows = [
        [
            f"{code(piece.column)} = {code(piece.level)}",
            f"{piece.rows:,}",
            formatting.write_metric(primary.name, piece.model),
        ]
        for piece in facts.slices
    ]
    text = f"{metric} where a column has one value, the worst first."
    card.add(**{f"{name}/Evaluation/Slices": f"{text}\n\n{_cut_table(['Slice', 'Test rows', metric], rows)}"})


def _add_policies(card: Card, name: str, facts: Facts) -> None:
    if not facts.policies:
        return
    rows = [[escape(gate.name), _describe_outcome(gate), escape(gate.evidence)] for gate in facts.policies]
    text = "Rules of the team's own, checked on the test rows."
    card.add(**{f"{name}/Evaluation/Policies": f"{text}\n\n{_cut_table(['Policy', '', 'Evidence'], rows)}"})


def _describe_outcome(gate: Gate) -> str:
    if gate.waiver and not gate.blocks:
        return f"waived until {gate.waiver.until}: {escape(gate.waiver.reason)}"
    return "holds" if gate.passed else "does not hold"


def _cut_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cut = f"\n\nThe first {MOST} of {len(rows)}." if len(rows) > MOST else ""
    return table(names, rows[:MOST]) + cut


def _render(template: str, facts: Facts) -> str:
    environment = make_markdown_environment(str(__package__))
    return environment.get_template(template).render(vars(facts)).strip()
