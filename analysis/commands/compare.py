"""Two arms compared by the areas under their ROC curves, reader by reader."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from analysis.commands.words import add_format, add_table, check_by, listed, names_of, two_arms
from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    from analysis.answer import Answer
    from analysis.commands.paired_units import Units
    from analysis.resampling import Bootstrap
    from analysis.rows import DifferenceRow
    from analysis.tables import Names

Method = Literal["delong", "bootstrap", "venkatraman"]
SAID = {
    ("delong", False): "DeLong, paired",
    ("delong", True): "Obuchowski's DeLong for clusters, paired",
    ("bootstrap", False): "Stratified bootstrap, paired",
    ("bootstrap", True): "Bootstrap of whole clusters, paired",
    ("venkatraman", False): "Venkatraman's permutation test of whole curves, paired; "
    "estimate, se and interval are DeLong's difference of areas",
}


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_table(command)
    command.add_argument("--arms", type=listed, required=True)
    command.add_argument("--by", type=listed, default=("reader",))
    command.add_argument("--method", choices=("delong", "bootstrap", "venkatraman"), default="delong")
    command.add_argument("--margin", type=float, help="non-inferiority of the second arm within this much")
    command.add_argument("--cluster", metavar="COLUMN", help="column whose values units nest in, such as patient")
    add_format(command)


def answer(options: argparse.Namespace) -> "Answer":
    check_by(options.by, ("reader",))
    arms = two_arms(options.arms)
    if options.method == "venkatraman" and options.cluster is not None:
        raise CannotAnalyse(
            "Venkatraman's test permutes single cases; with --cluster use --method delong or bootstrap."
        )
    if options.method == "venkatraman" and options.margin is not None:
        raise CannotAnalyse("Venkatraman's test knows no margin; with --margin use --method delong or bootstrap.")
    return compare(options.table, names_of(options), arms, options.method, options.margin, options.cluster)


def compare(
    path: Path,
    names: "Names",
    arms: tuple[str, str],
    method: Method = "delong",
    margin: float | None = None,
    cluster: str | None = None,
) -> "Answer":
    """Paired comparison of the AUCs of two arms, reader by reader."""
    from analysis.commands.paired_units import against_margin, paired_units, with_margin
    from analysis.commands.rows import differences, of_readers
    from analysis.margins import check_margin, margin_test
    from analysis.resampling import SEED
    from analysis.tables import read_table

    if margin is not None:
        check_margin(margin)
    clusters = () if cluster is None else (cluster,)
    table = paired_units(read_table(path, names, clusters), names, names.rating, arms, cluster)

    def of_reader(reader: str) -> "DifferenceRow":
        row = compare_reader(table.units(reader, arms), arms, reader, method)
        return row if margin is None else against_margin(row, partial(margin_test, row.estimate, row.se, margin))

    warnings = list(table.warnings)
    rows = of_readers(table.ratings.readers, of_reader, warnings)
    said = SAID[method, cluster is not None] + ("" if cluster is None else f", clusters by {cluster}")
    seed = None if method == "delong" else SEED
    return differences(with_margin(said, arms, margin), table.ratings, rows, warnings, seed)


def compare_reader(units: "Units", arms: tuple[str, str], reader: str, method: Method) -> "DifferenceRow":
    from dataclasses import replace

    from analysis.bootstrapped import bootstrap_test
    from analysis.cluster_bootstrap import cluster_bootstrap_test
    from analysis.clustered_auc import clustered_auc_test
    from analysis.commands.rows import LEVEL
    from analysis.delong import delong_test
    from analysis.rows import auc_difference_row
    from analysis.venkatraman import venkatraman_test

    truth, first, second = units.truth, units.first, units.second
    if len(truth) == 0:
        raise CannotAnalyse("No case was rated in both arms.")
    if method == "bootstrap":
        drawn = (
            bootstrap_test(truth, first, second)
            if units.clusters is None
            else cluster_bootstrap_test(truth, first, second, units.clusters)
        )
        return bootstrap_row(drawn, arms, reader, len(truth))
    if units.clusters is not None:
        return auc_difference_row(clustered_auc_test(truth, first, second, units.clusters), *arms, reader, LEVEL)
    row = auc_difference_row(delong_test(truth, first, second), *arms, reader, LEVEL)
    if method == "delong":
        return row
    found = venkatraman_test(truth, first, second)
    return replace(row, statistic=found.statistic, p=found.p, warnings=(*row.warnings, *found.warnings))


def bootstrap_row(found: "Bootstrap", arms: tuple[str, str], reader: str, n: int) -> "DifferenceRow":
    from analysis.commands.rows import LEVEL
    from analysis.rows import DifferenceRow

    interval = found.confidence_interval(LEVEL)
    statistic = found.estimate / found.se if found.se else 0.0
    return DifferenceRow(
        *arms, reader, found.estimate, found.se, None, statistic, 1.0 if found.p is None else found.p, interval.low,
        interval.high, n=n, warnings=found.warnings,
    )  # fmt: skip
