"""The rows that checks fit and predict."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gitops_ml.core.settings import read_settings
from gitops_ml.data.loading import load, load_newest
from gitops_ml.testing.sample import FITTED, Sample


def test_newest_files(project: Path) -> None:
    """Only as many files are read as are needed, the newest first."""
    settings = read_settings(project / "params.yaml")
    (project / "data/flights-2013-01.parquet").write_bytes(b"damaged, but not asked for")
    newest = load_newest(settings, project, 100)
    assert "2013-02" == f"{newest['scheduled_departure'].min():%Y-%m}"
    assert newest["scheduled_departure"].is_monotonic_increasing
    assert list(range(len(newest))) == list(newest.index)


def test_all_files(project: Path) -> None:
    """Where more rows are wanted than there are, all are read, in the order of a run."""
    settings = read_settings(project / "params.yaml")
    everything = load(settings, project).frame
    pd.testing.assert_frame_equal(everything, load_newest(settings, project, 1_000_000))


@pytest.mark.parametrize("share", [0.5, 0.01])
def test_classes_alike(project: Path, raw: pd.DataFrame, share: float) -> None:
    """A rare class is there as often as can be, and the sample is small and always the same."""
    samples = [Sample(project), Sample(project)]
    for sample in samples:
        vars(sample)["raw"] = raw.assign(late=raw.index < share * len(raw))
    counts = samples[0].y.value_counts()
    assert min(share * len(raw), FITTED / 2) * 0.6 <= counts[True]
    assert FITTED / 4 <= len(samples[0].valid) <= FITTED
    pd.testing.assert_frame_equal(samples[0].valid, samples[1].valid)


def test_tables_of_its_own(project: Path) -> None:
    """What one check does to its table is not seen by another."""
    sample = Sample(project)
    given = sample.X
    given["distance"] = 0
    assert 50 <= sample.X["distance"].min()
