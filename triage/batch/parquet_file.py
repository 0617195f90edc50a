"""Flat columns in a Parquet file, written in row groups of equal size."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from triage.batch.flat import Value, flat_columns, outcome_row
from triage.batch.tally import Outcome
from triage.taxonomy import Taxonomy

_ROWS_A_GROUP = 8192
_TYPES = {"prior_contacts": pa.int64(), "respond_within_minutes": pa.int64(), "review_needed": pa.bool_()}


class ParquetWriter:
    """Counts, scores and yes-or-no as such, the rest as text: labels may be numbers or words, as the policy has it."""

    def __init__(self, path: Path, taxonomy: Taxonomy):
        scores = {f"{head.name}_score": pa.float64() for head in taxonomy.heads if head.kind != "multi"}
        self._types = {**_TYPES, **scores}
        self._schema = pa.schema([(name, self._types.get(name, pa.string())) for name in flat_columns(taxonomy)])
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[dict[str, Value]] = []

    def write(self, outcome: Outcome) -> None:
        row = outcome_row(outcome.case, outcome.answer)
        self._rows.append({name: value if name in self._types else _text(value) for name, value in row.items()})
        if len(self._rows) == _ROWS_A_GROUP:
            self._flush()

    def close(self) -> None:
        if self._rows:
            self._flush()
        self._file.close()

    def _flush(self) -> None:
        self._file.write_table(pa.Table.from_pylist(self._rows, self._schema))
        self._rows.clear()


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
