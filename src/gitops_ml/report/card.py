"""The model card: what people wrote in ``model_cards/``, and the facts of the run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from skops.card import Card

from ..core import formatting as wording
from ..core.records import EvaluationRecord, Records, TrainingRecord, ValidationRecord
from ..core.settings import Settings
from .environment import code, escape, make_environment, table
from .headline import state_verdict, write_headline
from .sections import Section, read_metadata, read_sections

TASKS = {"classification": "tabular-classification", "regression": "tabular-regression"}
# More rows than this make a card unreadable; all are in the bundle's metrics.json.
MOST = 30


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
    validation, training, evaluation = records.validation, records.training, records.evaluation
    assert validation is not None
    assert training is not None
    assert evaluation is not None
    metadata, sections = read_metadata(root), read_sections(root)
    front = _write_front_matter(metadata, settings, training, evaluation)
    name = str(metadata["model_name"]).replace("/", "\\/")
    card = Card(model, template=None, model_diagram=False)
    card.add(**{name: _introduce(records, settings, sections)})
    for title in ("description", "intended_use", "limitations", "ethics"):
        _add_human(card, name, sections[title])
    _add_model(card, name, training, model)
    _add_data(card, name, validation, training)
    _add_evaluation(card, name, records)
    _add_slices(card, name, records)
    card.add(**{f"{name}/How to load the model": _render("card_loading.md.jinja", training=training)})
    card.add(**{f"{name}/Lineage": _render("card_lineage.md.jinja", run=records.run, training=training)})
    _add_human(card, name, sections["contact"])
    return f"---\n{front}---\n{card.render()}"


def _write_front_matter(
    metadata: dict[str, Any], settings: Settings, training: TrainingRecord, evaluation: EvaluationRecord
) -> str:
    task = TASKS[settings.problem]
    name = str(metadata["model_name"])
    result = {
        "task": {"type": task, "name": task.replace("-", " ").capitalize()},
        "dataset": {
            "type": name.lower().replace(" ", "-"),
            "name": f"Test part, {wording.write_boundary(training)}",
        },
        "metrics": [
            {
                "type": metric.name,
                "name": wording.name_metric(metric.name),
                "value": float(f"{metric.model.value:.6g}"),
            }
            for metric in evaluation.metrics
        ],
    }
    front = metadata | {
        "library_name": "sklearn",
        "pipeline_tag": task,
        "tags": [*metadata.get("tags", []), "sklearn", "skops", task],
        "model-index": [{"name": name, "results": [result]}],
    }
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True)


def _introduce(records: Records, settings: Settings, sections: dict[str, Section]) -> str:
    unwritten = [section for section in sections.values() if not section.written]
    headline = write_headline(records)
    return _render(
        "card_introduction.md.jinja",
        unwritten=unwritten,
        headline=headline,
        target=settings.data.target,
        **_facts(records),
    )


def _facts(records: Records) -> dict[str, Any]:
    return {
        "training": records.training,
        "evaluation": records.evaluation,
        "primary": wording.primary_metric(records),
    }


def _add_human(card: Card, name: str, section: Section) -> None:
    text = section.text
    if not section.written:
        warning = f"> [!WARNING]\n> **Nobody has written this section yet.** Its place is `{section.path}`."
        text = f"{warning}\n\n{text}"
    card.add(**{f"{name}/{section.title}": text.rstrip()})


def _add_model(card: Card, name: str, training: TrainingRecord, model: Any) -> None:
    card.add(**{f"{name}/Model": _render("card_model.md.jinja", training=training)})
    pipeline = wording.write_estimator(training).replace("```", "'''")
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


def _add_data(card: Card, name: str, validation: ValidationRecord, training: TrainingRecord) -> None:
    period = wording.write_period(validation.files)
    boundary = wording.write_boundary(training)
    text = _render(
        "card_data.md.jinja", validation=validation, training=training, period=period, boundary=boundary
    )
    rows = [
        [
            code(file.path, 120),
            f"{file.rows:,}",
            file.first or wording.DASH,
            file.last or wording.DASH,
            code(file.sha256[:12]),
        ]
        for file in validation.files
    ]
    files = _cut_table(["File", "Rows", "From", "To", "SHA-256"], rows)
    card.add(**{f"{name}/Training data": f"{text}\n\n{files}"})


def _add_evaluation(card: Card, name: str, records: Records) -> None:
    verdict = state_verdict(records.comparison) if records.comparison else ""
    text = _render("card_evaluation.md.jinja", verdict=verdict, **_facts(records))
    rows = [
        [
            f"{escape(wording.name_metric(metric.name))} {'↑' if metric.greater_is_better else '↓'}",
            wording.write_metric(metric.name, metric.model),
            wording.write_metric(metric.name, metric.baseline, like=metric.model),
            wording.write_metric(metric.name, metric.difference, like=metric.model, sign="+"),
        ]
        for metric in wording.sort_metrics(records)
    ]
    metrics = _cut_table(["Metric", "Model", "Baseline", "Better by"], rows)
    card.add(**{f"{name}/Evaluation": f"{text}\n\n{metrics}"})


def _add_slices(card: Card, name: str, records: Records) -> None:
    primary, slices = wording.primary_metric(records), wording.sort_slices(records)
    if primary is None or not slices:
        return
    metric = escape(wording.name_metric(primary.name))
    rows = [
        [
            f"{code(piece.column)} = {code(piece.level)}",
            f"{piece.rows:,}",
            wording.write_metric(primary.name, piece.model),
        ]
        for piece in slices
    ]
    text = f"{metric} where a column has one value, the worst first."
    card.add(**{f"{name}/Evaluation/Slices": f"{text}\n\n{_cut_table(['Slice', 'Test rows', metric], rows)}"})


def _cut_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cut = f"\n\nThe first {MOST} of {len(rows)}." if len(rows) > MOST else ""
    return table(names, rows[:MOST]) + cut


def _render(template: str, **context: Any) -> str:
    return make_environment().get_template(template).render(context).strip()
