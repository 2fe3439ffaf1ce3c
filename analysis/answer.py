"""What every command answers with, as JSON of one shape, as text and as CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from analysis.mrmc import Components, Overall
from analysis.rows import ArmRow, DifferenceRow, plain
from analysis.tables import TableFacts
from analysis.versions import versions

DIFFERENCE_KEYS = ("first", "second", "reader", "estimate", "se", "df", "statistic", "p", "low", "high")
SECTIONS = ("estimates", "arms", "differences")


@dataclass(frozen=True)
class CellRow:
    """One estimate of one reader (or pair of readers) in one arm; se is None where the interval rests on none."""

    reader: str
    arm: str
    estimate: float
    se: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Answer:
    """The same top level for every command."""

    method: str
    table: TableFacts
    estimates: tuple[CellRow, ...] = ()
    arms: tuple[ArmRow, ...] = ()
    differences: tuple[DifferenceRow, ...] = ()
    overall: Overall | None = None
    components: Components | None = None
    warnings: tuple[str, ...] = ()
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=versions)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with exactly the keys of the contract."""
        answer: dict[str, Any] = plain(
            {
                "method": self.method,
                "table": asdict(self.table),
                "estimates": self.estimates,
                "arms": self.arms,
                "differences": [
                    {key: value for key, value in asdict(row).items() if key in DIFFERENCE_KEYS}
                    for row in self.differences
                ],
                "overall": self.overall,
                "components": self.components,
                "warnings": self.warnings,
                "seed": self.seed,
                "versions": dict(self.versions),
            }
        )
        return answer


def as_json(answer: Answer) -> str:
    return json.dumps(answer.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)


def as_csv(answer: Answer) -> str:
    """All rows under one header, the first column naming the section."""
    content = answer.to_dict()
    rows = [{"section": section, **row} for section in SECTIONS for row in content[section]]
    header = list(dict.fromkeys(key for row in rows for key in row)) or ["section"]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().rstrip("\n")


def as_text(answer: Answer) -> str:
    """For reading; numbers with six digits."""
    content = answer.to_dict()
    table = content["table"]
    lines = [
        content["method"],
        f"{table['readers']} readers, {len(table['arms'])} arms ({', '.join(table['arms'])}), {table['cases']} cases"
        + ("" if table["positives"] is None else f", {table['positives']} diseased")
        + (f", {table['missing']} readings missing" if table["missing"] else ""),
    ]
    for section in SECTIONS:
        if content[section]:
            lines += ["", section, *text_table(content[section])]
    for section in ("overall", "components"):
        if content[section]:
            lines += ["", section, *text_table([content[section]])]
    lines += [f"Warning: {warning}" for warning in content["warnings"]]
    return "\n".join(lines)


def text_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    cells = [list(rows[0]), *([shown(value) for value in row.values()] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]


def shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
