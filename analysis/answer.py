"""What every command answers with, as JSON of one shape, as text and as CSV."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from analysis.mrmc import Components, Overall
from analysis.rows import ArmRow, DifferenceRow, plain
from analysis.tables import TableFacts
from analysis.versions import versions

DIFFERENCE_KEYS = ("first", "second", "reader", "estimate", "se", "df", "statistic", "p", "low", "high")
SECTIONS = ("estimates", "arms", "differences")
SCALE = ("estimate", "se", "low", "high")
LEAST, LARGE = 8, 1e8


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
    """For reading: intervals at 95 %, df - where a test is normal or exact; JSON has all digits."""
    content = answer.to_dict()
    lines = [content["method"], size(content["table"])]
    for section in SECTIONS:
        if content[section]:
            lines += ["", section, *text_table(content[section])]
    for section in ("overall", "components"):
        if content[section]:
            lines += ["", section, *text_table([content[section]])]
    if any(row.get("low") is not None for section in SECTIONS for row in content[section]):
        lines += ["", "low and high: 95 % interval" + (f"; seed {answer.seed}" if answer.seed is not None else "")]
    lines += [f"Warning: {warning}" for warning in content["warnings"]]
    return "\n".join(lines)


def size(table: Mapping[str, Any]) -> str:
    """Readers, arms, cases in words; what there is none of is not named."""
    parts = [counted(table["readers"], "reader")] if table["readers"] else []
    if table["arms"]:
        parts.append(f"{counted(len(table['arms']), 'arm')} ({', '.join(table['arms'])})")
    parts.append(counted(table["cases"], "case"))
    if table["positives"] is not None:
        parts[-1] += f" ({table['positives']} diseased, {table['negatives']} not)"
    return ", ".join(parts) + (f"; {counted(table['missing'], 'reading')} missing" if table["missing"] else "")


def counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def text_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Labels to the left; numbers with their points below each other, what is of one scale with as many decimals."""
    scale = decimals([row[key] for row in rows for key in SCALE if key in row])
    columns = []
    for key in rows[0]:
        values = [row[key] for row in rows]
        cells = [key, *(shown(key, value, scale if key in SCALE else decimals(values)) for value in values)]
        width = max(map(len, cells))
        label = key == "reader" or any(isinstance(value, str) for value in values)
        columns.append([cell.ljust(width) if label else cell.rjust(width) for cell in cells])
    return ["  ".join(line).rstrip() for line in zip(*columns, strict=True)]


def decimals(values: Sequence[Any]) -> int:
    """So many that the largest number shows five digits."""
    largest = max((abs(value) for value in values if isinstance(value, float)), default=0.0)
    return max(0, min(LEAST, 4 - math.floor(math.log10(largest)))) if largest > 0 else 4


def shown(key: str, value: object, places: int) -> str:
    """One number in text; p values to four decimals."""
    if value is None:
        return "all" if key == "reader" else "-"
    if not isinstance(value, float):
        return str(value)
    if key == "p":
        return "<0.0001" if value < 0.0001 else f"{value:.4f}"
    if value and (abs(value) < 10.0**-LEAST or abs(value) >= LARGE):
        return f"{value:.4e}"
    places = 2 if key.startswith("df") else places
    # Adding 0.0 takes the sign from a zero that is left after rounding.
    return f"{round(value, places) + 0.0:.{places}f}"
