"""Readers of the files of the prediction log: JSON lines and Parquet, as tables, a block at a time."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa
from pyarrow import json as arrow_json
from pyarrow import parquet

from ...contract.export import ContractRecord
from ...serving.log_schema import make_log_schema

# Bytes of JSON lines, and rows of Parquet, that are in memory at a time.
BLOCK = 8_000_000
ROWS = 25_000
# What is longer is no line of the log.
LONGEST = 4 * BLOCK
# Columns that a record cannot do without, though the last may be null.
ALWAYS = ("id", "time", "version")

Tables = Iterator[tuple[pa.Table, int]]


def read_lines(stream: BinaryIO, contract: ContractRecord) -> Tables:
    """Read JSON lines.

    Parameters
    ----------
    stream : file
        Of bytes.
    contract : ContractRecord
        Its features, and the answers to its problem, are read.

    Yields
    ------
    table : pyarrow.Table
        With the columns of the log, as nested as they are there; what these lines do not have is
        absent.
    broken : int
        Lines that are no records of the log, and were skipped.

    Raises
    ------
    ValueError
        If what should be lines is none.
    """
    schema = _describe(contract)
    for block in _split(stream):
        yield _parse_block(block, schema)


def read_parquet(stream: BinaryIO, contract: ContractRecord) -> Tables:
    """Read Parquet; see `read_lines`. No row is ever broken."""
    file = parquet.ParquetFile(stream)
    known = {path for field in _describe(contract) for path in _list_paths(field)}
    _require_names(file.schema_arrow)
    columns = [path for field in file.schema_arrow for path in _list_paths(field) if path in known]
    for batch in file.iter_batches(batch_size=ROWS, columns=columns):
        yield pa.Table.from_batches([batch]), 0


def _require_names(schema: pa.Schema) -> None:
    """Raise a ValueError if records have no name or no time."""
    times = [name for name in schema.names if pa.types.is_timestamp(schema.field(name).type)]
    if missing := {*ALWAYS} - {*schema.names} or {"time"} - {*times}:
        raise ValueError(f"it has no column '{min(missing)}' as the log has it")


def _list_paths(field: pa.Field, prefix: str = "") -> list[str]:
    name = prefix + field.name
    if not pa.types.is_struct(field.type):
        return [name]
    return [path for inner in field.type for path in _list_paths(inner, f"{name}.")]


def _describe(contract: ContractRecord) -> pa.Schema:
    """Return the columns of the log; a count may be any number, as it may have been for another model."""
    levels = {column.name for column in contract.columns if column.dtype == "category"}
    schema = make_log_schema(contract, exclude=[], has_probabilities=bool(contract.classes))
    place = schema.get_field_index("features")
    if place < 0:
        return schema
    features = [
        field if field.name in levels or not pa.types.is_integer(field.type) else (field.name, pa.float64())
        for field in schema.field("features").type
    ]
    return schema.set(place, pa.field("features", pa.struct(features)))


def _split(stream: BinaryIO) -> Iterator[bytes]:
    """Cut a stream at ends of lines."""
    rest = b""
    while chunk := stream.read(BLOCK):
        block, newline, rest = (rest + chunk).rpartition(b"\n")
        if newline:
            yield block
        if len(rest) > LONGEST:
            raise ValueError(f"a line is longer than {LONGEST:,} bytes")
    if rest:
        yield rest


def _parse_block(block: bytes, schema: pa.Schema) -> tuple[pa.Table, int]:
    if _seems_whole(block):
        try:
            return _parse(block, _narrow_by(io.BytesIO(block), schema)), 0
        except pa.ArrowException:
            pass
    lines = [line for line in block.split(b"\n") if line.strip()]
    records = [line for line in lines if _load(line) is not None]
    narrow = _narrow_by(records, schema)
    table = pa.concat_tables([narrow.empty_table(), *_salvage(records, narrow)])
    return table, len(lines) - len(table)


def _seems_whole(block: bytes) -> bool:
    """Tell whether each line begins as a record and all is text; Arrow crashes on a line that is null."""
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    letters = np.frombuffer(block + b"{", dtype=np.uint8)
    beginnings = letters[np.flatnonzero(letters == ord("\n")) + 1]
    return letters[0] == ord("{") and bool((beginnings == ord("{")).all())


def _narrow_by(lines: Iterable[bytes], schema: pa.Schema) -> pa.Schema:
    """Leave out what the first record does not have: all of a file were written with the same settings."""
    records = (record for line in lines if (record := _load(line)) and record.keys() >= {*schema.names})
    first = next(records, None)
    return schema if first is None else pa.schema(_narrow(schema, first))


def _narrow(fields: Any, record: dict[str, Any]) -> list[pa.Field]:
    kept = [field for field in fields if field.name in record or field.name in ALWAYS]
    return [
        pa.field(field.name, pa.struct(_narrow(field.type, record[field.name])))
        if pa.types.is_struct(field.type) and isinstance(record[field.name], dict)
        else field
        for field in kept
    ]


def _load(line: bytes) -> dict[str, Any] | None:
    """Return what a line says; None if it is no object."""
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None


def _salvage(lines: list[bytes], schema: pa.Schema) -> list[pa.Table]:
    """Read all lines that can be read, by halving what cannot."""
    if not lines:
        return []
    block = b"\n".join(lines)
    try:
        return [_parse(block, schema, len(block) + 1)]
    except pa.ArrowException:
        half = len(lines) // 2
        return [*_salvage(lines[:half], schema), *_salvage(lines[half:], schema)] if half else []


def _parse(block: bytes, schema: pa.Schema, at_once: int = 1 << 20) -> pa.Table:
    parse = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    read = arrow_json.ReadOptions(block_size=at_once)
    return arrow_json.read_json(pa.BufferReader(block), read_options=read, parse_options=parse)
