"""Proves that a package works before it is deployed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from .bundle import LineageRecord
from .columns import ContractRecord, restore_frame
from .errors import LifecycleError
from .golden import GoldenRecord
from .package import unpack_bundle
from .replay import Incomparable, replay

# Seconds; a service that takes longer to answer a few rows is of no use.
LONGEST = 120.0


def smoke(package: Path) -> LineageRecord:
    """Unpack a package, load its model and let it answer ``golden.json``.

    The model runs in a process of its own, with the code that its bundle keeps and the libraries
    that are installed here, and must answer as it did when it was made.

    Parameters
    ----------
    package : Path
        As ``mlops package`` writes it.

    Returns
    -------
    LineageRecord
        Where the model comes from.

    Raises
    ------
    LifecycleError
        If the package is not whole, has been tampered with, names a type that is not allowed, or
        no longer answers as it did.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        bundle = unpack_bundle(package, Path(folder))
        rows = restore_frame(GoldenRecord.read(bundle).inputs, ContractRecord.read(bundle))
        try:
            replay(bundle, rows, LONGEST)
        except Incomparable as error:
            raise LifecycleError(f"{package} does not work: {error}.") from None
        return LineageRecord.read(bundle)
