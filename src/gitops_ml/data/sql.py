"""Training data from a database: one query, one table."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import LifecycleError
from ..core.settings import DataSettings

if TYPE_CHECKING:
    import pandas as pd


def name_database(data: DataSettings) -> str:
    """Return the SQL URL without what may be secret: its password and its options.

    Raises
    ------
    LifecycleError
        If ``data.source`` is no URL.
    """
    if "://" not in data.source:
        raise LifecycleError(
            "data.query needs a SQL URL in data.source, dialect://user:$PASSWORD@host/database."
        )
    public = re.sub(r"^([^:/]+://)([^:/@]*)(:.*)?@", r"\1\2@", data.source)
    return public.split("?", maxsplit=1)[0]


def read_query(data: DataSettings, root: Path) -> pd.DataFrame:
    """Run ``data.query``.

    Parameters
    ----------
    data : DataSettings
        Names such as ``$PASSWORD`` in ``data.source`` are taken from the environment.
    root : Path
        The project; a SQLite file is relative to it.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns)

    Raises
    ------
    LifecycleError
        If the database or its driver is missing, or it refuses the query.
    """
    import pandas as pd
    from sqlalchemy.exc import SQLAlchemyError

    engine = _open_database(data, root)
    try:
        with engine.connect() as connection:
            return pd.read_sql_query(str(data.query), connection)
    except (SQLAlchemyError, pd.errors.DatabaseError) as error:
        reason = _hide_password(_explain(error), engine)
        raise LifecycleError(f"{name_database(data)} refused data.query: {reason}.") from None
    finally:
        engine.dispose()


def digest_frame(frame: pd.DataFrame) -> str:
    """Return the sha256 of a frame as CSV, which outlives the versions of libraries."""
    return hashlib.sha256(frame.to_csv(index=False, na_rep="\\N").encode()).hexdigest()


def _open_database(data: DataSettings, root: Path) -> Any:
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    name = name_database(data)
    try:
        url = sqlalchemy.make_url(os.path.expandvars(data.source))
        if url.get_backend_name() == "sqlite" and url.database:
            url = url.set(database=str(_require_file(root / url.database, name)))
        return sqlalchemy.create_engine(url)
    except ModuleNotFoundError as error:
        raise LifecycleError(f"{name} needs the package '{error.name}'; add it to pyproject.toml.") from None
    except NoSuchModuleError:
        raise LifecycleError(
            f"{name} needs a SQLAlchemy dialect that is not installed; add its package."
        ) from None
    except (ArgumentError, ValueError):  # their text may hold the password
        raise LifecycleError(
            f"{name} is no SQL URL; expected dialect://user:$PASSWORD@host/database."
        ) from None


def _require_file(path: Path, name: str) -> Path:
    """Stop before SQLite makes an empty database of a name that is wrong."""
    if not path.is_file():
        raise LifecycleError(f"{name} is missing; correct data.source in params.yaml or restore the file.")
    return path


def _explain(error: BaseException) -> str:
    """Return what the driver said, without the layers around it."""
    while isinstance(inner := getattr(error, "orig", None) or error.__cause__, BaseException):
        error = inner
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _hide_password(text: str, engine: Any) -> str:
    return text.replace(engine.url.password, "***") if engine.url.password else text
