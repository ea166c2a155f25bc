"""List and read what ``data.source`` names: local files, remote files, or a query."""

from __future__ import annotations

import glob
import gzip
import hashlib
import io
import re
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..core.errors import LifecycleError
from ..core.settings import DataSettings
from .sql import digest_frame, name_database, read_query

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".parquet", ".csv", ".csv.gz")


def list_files(data: DataSettings, root: Path) -> list[str]:
    """List what ``data.source`` names.

    Parameters
    ----------
    data : DataSettings
    root : Path
        The project; local paths are relative to it.

    Returns
    -------
    list of str
        Sorted: paths below the project with forward slashes, or URLs. A SQL source is one entry,
        its URL without password and options.

    Raises
    ------
    LifecycleError
        If nothing matches, a file is neither parquet nor CSV, or a remote place cannot be reached.
    """
    if data.query is not None:
        return [name_database(data)]
    files = list_matches(data.source, root)
    if not files:
        raise LifecycleError(
            f"data.source '{data.source}' matches no file; correct it in params.yaml or add the data."
        )
    for path in files:
        _suffix(path)
    return files


def list_matches(source: str, root: Path) -> list[str]:
    """Return the files that a glob or a URL names, sorted; there may be none."""
    return sorted(_list_remote(source) if is_remote(source) else _list_local(source, root))


def read_file(path: str, data: DataSettings, root: Path) -> tuple[pd.DataFrame, str]:
    """Read one entry of `list_files`, frame and digest from the same bytes.

    Parameters
    ----------
    path : str
        An entry of `list_files`.
    data : DataSettings
    root : Path
        The project.

    Returns
    -------
    frame : DataFrame of shape (n_rows, n_columns)
        At least one row, columns as they come; ``data.time`` of CSV and SQL parsed where possible.
    digest : str
        sha256 in hex of the file's bytes, or of the query's result as CSV.

    Raises
    ------
    LifecycleError
        If it is missing, empty, damaged, of another type than its name says, or out of reach.
    """
    if data.query is not None:
        frame = read_query(data, root)
        digest = digest_frame(frame)
    else:
        content = read_bytes(path, root)
        frame = parse_file(path, content)
        digest = hashlib.sha256(content).hexdigest()
    _require_table(frame, path)
    return _parse_time(frame, data.time), digest


def digest_file(path: str, data: DataSettings, root: Path) -> str:
    """Return the digest that `read_file` would, without parsing files."""
    if data.query is not None:
        return read_file(path, data, root)[1]
    if is_remote(path):
        return hashlib.sha256(read_bytes(path, root)).hexdigest()
    try:
        with (root / path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from None


def is_remote(path: str) -> bool:
    """Tell whether a path is a URL rather than a file of the project."""
    return "://" in path


def _list_local(source: str, root: Path) -> list[str]:
    if (root / source).is_dir():
        inside = f"{source.rstrip('/')}/*.parquet"
        raise LifecycleError(f"data.source '{source}' is a folder; name its files, such as '{inside}'.")
    # Path.glob takes no absolute patterns and lists hidden files.
    found = glob.glob(source, root_dir=root, recursive=True)  # noqa: PTH207
    return [Path(path).as_posix() for path in found if (root / path).is_file()]


def _list_remote(source: str) -> list[str]:
    if urlsplit(source).password:
        raise LifecycleError(
            "data.source holds a password; take it out of params.yaml and set it in the environment."
        )
    filesystem, path = _connect(source)
    if not re.search(r"[*\[]", path):
        return [source]
    try:
        found = filesystem.glob(path)
        if not found:  # glob hides what went wrong on the way, listing the folder does not
            filesystem.ls(re.split(r"[^/]*[*\[]", path)[0])
    except FileNotFoundError:
        return []
    except Exception as error:
        raise _unreadable(source, error) from error
    return [filesystem.unstrip_protocol(name) for name in found]


def _connect(url: str) -> tuple[Any, str]:
    """Return fsspec's file system for a URL, and the path in it."""
    from fsspec.core import url_to_fs

    try:
        filesystem, path = url_to_fs(url)
    except ImportError as error:
        raise LifecycleError(f"{url} needs a package that is not installed: {_first_line(error)}.") from None
    except ValueError:
        scheme = urlsplit(url).scheme
        raise LifecycleError(
            f"data.source has the scheme '{scheme}'; expected one of fsspec's, or a SQL URL and data.query."
        ) from None
    return filesystem, path


def read_bytes(path: str, root: Path) -> bytes:
    """Return the bytes of a file, here or elsewhere; LifecycleError if it is empty or out of reach."""
    try:
        content = _read_remote(path) if is_remote(path) else (root / path).read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None
    if not content:
        raise LifecycleError(f"{path} is empty (0 bytes); fetch or write it again.")
    return content


def _read_remote(url: str) -> bytes:
    filesystem, path = _connect(url)
    try:
        content: bytes = filesystem.cat_file(path)
    except FileNotFoundError:
        raise
    except Exception as error:  # every fsspec back end has errors of its own
        raise _unreadable(url, error) from error
    return content


def _unreadable(path: str, error: Exception) -> LifecycleError:
    if isinstance(error, FileNotFoundError):
        return LifecycleError(f"{path} is missing; restore it, or see 'mlops data status'.")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else _first_line(error)
    return LifecycleError(f"{path} cannot be read: {reason}.")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _suffix(path: str) -> str:
    name = urlsplit(path).path if is_remote(path) else path
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return suffix
    raise LifecycleError(f"{path} is of an unknown type; expected a name that ends in {', '.join(SUFFIXES)}.")


def parse_file(path: str, content: bytes) -> pd.DataFrame:
    """Return the table that the bytes of a file are; LifecycleError if they are none."""
    suffix = _suffix(path)
    if suffix == ".parquet":
        return _parse_parquet(path, content)
    if suffix == ".csv.gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise LifecycleError(
                f"{path} is not a whole gzip file ({_first_line(error)}); fetch it again."
            ) from None
    return _parse_csv(path, content)


def _parse_parquet(path: str, content: bytes) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not content.startswith(b"PAR1"):
        raise LifecycleError(f"{path} is not a parquet file, whatever its name says; write it as one.")
    if not content.endswith(b"PAR1"):
        raise LifecycleError(f"{path} is truncated: a parquet file ends in 'PAR1'; fetch or write it again.")
    try:
        frame: pd.DataFrame = pq.read_table(pa.BufferReader(content)).to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise LifecycleError(
            f"{path} is a damaged parquet file ({_first_line(error)}); write it again."
        ) from None
    # A named index was a column once; concatenating would lose it.
    return frame.reset_index() if any(frame.index.names) else frame


def _parse_csv(path: str, content: bytes) -> pd.DataFrame:
    import pandas as pd

    if b"\0" in content:
        raise LifecycleError(f"{path} is not a CSV file: it holds bytes that are not text.")
    try:
        # Without low_memory pandas guesses each type from all rows, not chunk by chunk.
        return pd.read_csv(io.BytesIO(content), low_memory=False)
    except UnicodeDecodeError:
        raise LifecycleError(f"{path} is not UTF-8 text; save it as UTF-8.") from None
    except ValueError as error:  # pandas' parser errors are ValueErrors
        raise LifecycleError(f"{path} is not a CSV file: {_first_line(error)}.") from None


def _parse_time(frame: pd.DataFrame, column: str | None) -> pd.DataFrame:
    """Parse a time column that came as text; what does not parse is left to the contract."""
    import pandas as pd

    if column in frame and pd.api.types.is_string_dtype(frame[column]):
        with suppress(ValueError, TypeError, OverflowError):
            frame[column] = pd.to_datetime(frame[column])
    return frame


def _require_table(frame: pd.DataFrame, path: str) -> None:
    if frame.empty:
        raise LifecycleError(f"{path} holds no rows; expected at least one.")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise LifecycleError(f"{path} has the column '{twice[0]}' twice; give each column a name of its own.")
