"""The champion: the model in production, as far as a challenger is compared with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import LifecycleError
from ..core.layout import BUNDLE, CHAMPION, MANIFEST, STATE

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ..bundle.manifest import LineageRecord
    from ..contract.export import ContractRecord
    from ..contract.validation import Validation
    from ..core.settings import Settings
    from ..data.loading import Loaded


@dataclass(frozen=True)
class Champion:
    """A verified bundle, and what its records say."""

    bundle: Path
    version: int | None
    """As ``model.json`` has it; None for a bundle without."""
    contract: ContractRecord
    lineage: LineageRecord


def locate_champion(root: Path, given: Path | None) -> Path | None:
    """Return the folder of the champion's bundle, or None where there is no champion.

    Parameters
    ----------
    root : Path
        The project.
    given : Path or None
        A bundle, or a folder with one; by default ``champion/`` of the project, if it is there.

    Raises
    ------
    LifecycleError
        If the folder that was given holds no bundle.
    """
    for folder in [given / BUNDLE, given] if given else [root / CHAMPION / BUNDLE]:
        if (folder / MANIFEST).is_file():
            return folder
    if given:
        raise LifecycleError(
            f"{given} holds no bundle: {MANIFEST} is missing; name a folder such as build/bundle of a run."
        )
    return None


def read_champion(bundle: Path) -> Champion:
    """Verify the bundle of a champion and read what it says; its model is not loaded.

    Raises
    ------
    LifecycleError
        If the bundle is not as its manifest says, or its records cannot be read.
    """
    from ..bundle.manifest import LineageRecord, verify_bundle
    from ..contract.export import ContractRecord

    verify_bundle(bundle)
    return Champion(
        bundle=bundle,
        version=read_version(bundle.parent / STATE),
        contract=ContractRecord.read(bundle),
        lineage=LineageRecord.read(bundle),
    )


def list_missing(champion: Champion, frame: pd.DataFrame) -> list[str]:
    """Return the columns that the champion needs and ``frame`` lacks, in order."""
    contract = champion.contract
    deciding = {"time": contract.time, "hash": contract.id, "group": contract.group}
    needed = dict.fromkeys([*contract.features, deciding[champion.lineage.split]])
    return [name for name in needed if name is not None and name not in frame]


def recover_columns(
    champion: Champion, loaded: Loaded, validation: Validation, settings: Settings
) -> pd.DataFrame:
    """Return columns that the champion needs and the contract no longer has, as the files have them.

    Returns
    -------
    DataFrame of shape (n_test, n_recovered)
        Of the test rows, in their order; without a column in most cases.
    """
    from ..data.split import hold_out

    missing = [name for name in list_missing(champion, validation.valid) if name in loaded.frame]
    held_out, _ = hold_out(validation.valid, settings)
    return loaded.frame[missing].iloc[validation.kept[held_out]].reset_index(drop=True)


def find_unknown_rows(champion: Champion, frame: pd.DataFrame) -> np.ndarray:
    """Return a mask of the rows that the champion cannot have been trained on.

    Parameters
    ----------
    champion : Champion
        Its lineage has the boundary of its split.
    frame : DataFrame of shape (n_rows, n_columns)
        With the column that decided its split.

    Returns
    -------
    ndarray of shape (n_rows,), bool
        Rows without a value in that column are not among them.
    """
    import numpy as np

    from ..data.split import is_held_out

    contract, lineage = champion.contract, champion.lineage
    column = {"time": contract.time, "hash": contract.id, "group": contract.group}[lineage.split]
    values = frame[column]
    unknown = np.zeros(len(frame), dtype=bool)
    present = values.notna().to_numpy()
    unknown[present] = is_held_out(values[present], lineage.split, lineage.boundary)
    return unknown


def select_features(champion: Champion, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that the champion sees, of the types it was trained on.

    Raises
    ------
    ValueError, TypeError
        If a column cannot be turned into its type.
    """
    dtypes = {column.name: column.dtype for column in champion.contract.columns}
    features = champion.contract.features
    return frame[features].astype({name: dtypes[name] for name in features})


def read_version(path: Path) -> int | None:
    """Return the version in ``model.json``; None where there is none.

    Raises
    ------
    LifecycleError
        If the file is no JSON object.
    """
    try:
        version = json.loads(path.read_text(encoding="utf-8")).get("version")
    except FileNotFoundError:
        return None
    except (ValueError, AttributeError):
        raise LifecycleError(f"{path} is no JSON object with a version; fetch the champion again.") from None
    return version if isinstance(version, int) else None
