"""The body of a request to records of Python values: JSON, Arrow IPC or CSV."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.csv

from .errors import Problem, RequestError, reject_body, reject_records, show

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
CSV = "text/csv"
# Messages of an Arrow stream that hold values; the second by its number in Message.fbs.
HOLDING_ROWS = ("record batch", "dictionary")
DICTIONARY = 2

# What people write for numbers, of all that Python would take for one.
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
WHOLE = re.compile(r"\s*[+-]?\d{1,19}\s*")

Kinds = dict[str, str]
Records = list[Any]


def read_records(content_type: str, body: bytes, kinds: Kinds, max_rows: int) -> Records:
    """Read the records of a request, which are not validated here.

    Parameters
    ----------
    content_type : str
        Of the request; empty means JSON.
    body : bytes
    kinds : dict of str to str
        Columns to read, with how their values are written.
    max_rows : int
        The most records that one request may bring.

    Returns
    -------
    list of length n_rows
        Objects: values by column. What a record lacks, it does not have; null is None.

    Raises
    ------
    RequestError
        415 for another type, 413 for too many records, 422 for a body that cannot be read.
    """
    kind = content_type.partition(";")[0].strip().lower() or JSON
    if kind not in READERS:
        raise RequestError(415, f"Expected {JSON}, {CSV} or {ARROW}, got {show(kind)}.")
    records = READERS[kind](body, kinds, max_rows)
    if not records:
        raise reject_body("at least one record", [])
    return records


def _require_few(n_rows: int, max_rows: int) -> None:
    if n_rows > max_rows:
        raise RequestError(413, f"Expected at most {max_rows} records in a request, got {n_rows}.")


def _read_json(body: bytes, kinds: Kinds, max_rows: int) -> Records:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise reject_body("JSON", f"{error.msg} at byte {error.pos}") from None
    records = [content] if isinstance(content, dict) else content
    if not isinstance(records, list):
        raise reject_body("one record or a list of records", content)
    _require_few(len(records), max_rows)
    return records


def _read_csv(body: bytes, kinds: Kinds, max_rows: int) -> Records:
    names = [*kinds]
    # All text: what "1e3" or an empty field means is for the contract to say.
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        include_columns=names,
        include_missing_columns=True,
        null_values=[""],
        strings_can_be_null=True,
    )
    try:
        header = pyarrow.csv.open_csv(io.BytesIO(body)).schema.names
        table = pyarrow.csv.read_csv(io.BytesIO(body), convert_options=convert)
    except (pa.ArrowException, ValueError) as error:
        raise reject_body("CSV with a header", _first_line(error)) from None
    _require_unique(header, names)
    _require_few(table.num_rows, max_rows)
    columns = {name: _read_text(table[name].to_pylist(), kinds[name]) for name in names if name in header}
    return _to_records(columns, table.num_rows)


def _read_text(texts: list[str | None], kind: str) -> list[Any]:
    """Return the fields of a column as JSON would have them."""
    read = FROM_TEXT.get(kind, str)
    return [None if text is None else read(text) for text in texts]


def _read_number(text: str) -> float | str | None:
    """Return the number that stands in a field, or the text where there is none."""
    if text.strip().lower() == "nan":
        return None
    return float(text) if NUMBER.fullmatch(text) else text


def _read_integer(text: str) -> float | str | None:
    return int(text) if WHOLE.fullmatch(text) else _read_number(text)


def _read_boolean(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text.strip().lower(), text)


def _read_arrow(body: bytes, kinds: Kinds, max_rows: int) -> Records:
    names = [*kinds]
    records: Records = []
    try:
        _require_uncompressed(body)
        with pa.ipc.open_stream(body) as reader:
            _require_unique(reader.schema.names, names)
            found = [name for name in names if name in reader.schema.names]
            for batch in reader:
                # A run of equal values is short on the wire, however long it is.
                _require_few(len(records) + batch.num_rows, max_rows)
                # Offsets that point elsewhere would be followed into memory that is not theirs.
                batch.validate(full=True)
                columns = {name: _to_values(batch[name]) for name in found}
                records += _to_records(columns, batch.num_rows)
    except (pa.ArrowException, ValueError, OverflowError, TypeError, IndexError, OSError) as error:
        raise reject_body("an Arrow IPC stream", _first_line(error)) from None
    return records


def _to_values(array: pa.Array) -> list[Any]:
    """Return the values of an Arrow column as Python has them; NaN is null."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        array = array.cast(pa.timestamp("us", kind.tz and "UTC"), safe=False)
    elif pa.types.is_duration(kind):
        array = array.cast(pa.duration("us"), safe=False)
    values = array.to_pylist()
    return [None if value != value else value for value in values] if pa.types.is_floating(kind) else values


def _to_records(columns: dict[str, list[Any]], n_rows: int) -> Records:
    if not columns:
        return [{} for _ in range(n_rows)]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _require_uncompressed(body: bytes) -> None:
    """Look at the headers alone: a small body may unfold to more than the memory holds."""
    for message in pa.ipc.MessageReader.open_stream(body):
        if message.type in HOLDING_ROWS and _is_compressed(message.metadata.to_pybytes()):
            raise reject_body("an Arrow IPC stream", "one that is compressed")


def _is_compressed(metadata: bytes) -> bool:
    """Tell whether a message names a compression: Arrow's Message.fbs, read as FlatBuffers are laid out."""
    message = _follow(metadata, 0)
    header = _find_field(metadata, message, 2)
    batch = _follow(metadata, header) if header else 0
    if batch and metadata[_find_field(metadata, message, 1) or 0] == DICTIONARY:
        data = _find_field(metadata, batch, 1)
        batch = _follow(metadata, data) if data else 0
    return bool(batch and _find_field(metadata, batch, 3))


def _follow(buffer: bytes, place: int) -> int:
    """Return where the table lies that an offset leads to."""
    return place + int.from_bytes(buffer[place : place + 4], "little")


def _find_field(buffer: bytes, table: int, number: int) -> int | None:
    """Return where a field of a table lies; None where it is not set."""
    fields = table - int.from_bytes(buffer[table : table + 4], "little", signed=True)
    slot = 4 + 2 * number
    if slot >= int.from_bytes(buffer[fields : fields + 2], "little"):
        return None
    offset = int.from_bytes(buffer[fields + slot : fields + slot + 2], "little")
    return table + offset if offset else None


def _require_unique(header: list[str], names: list[str]) -> None:
    twice = [name for name in names if header.count(name) > 1]
    if twice:
        expected = "one column of this name"
        raise reject_records(
            [Problem(row=None, column=name, expected=expected, came="several") for name in twice]
        )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["nothing that can be read"])[0]


FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "integer": _read_integer,
    "number": _read_number,
    "boolean": _read_boolean,
}
READERS: dict[str, Callable[[bytes, Kinds, int], Records]] = {
    JSON: _read_json,
    CSV: _read_csv,
    ARROW: _read_arrow,
}
