"""Truth and ratings of the entries of roc_single."""

from collections.abc import Iterator

import pandas as pd

from analysis.ratings import Bools, Floats
from tests.analysis.oracle_entries import Entry, oracle_data


def cell(frame: pd.DataFrame, reader: object, treatment: object) -> tuple[Bools, Floats]:
    part = frame[(frame["reader"].astype(str) == str(reader)) & (frame["treatment"].astype(str) == str(treatment))]
    return part["truth"].to_numpy() == 1, part["rating"].to_numpy(float)


def cells(entry: Entry) -> Iterator[tuple[int, Bools, Floats]]:
    """Row of the entry's table, truth and rating of each reader in each treatment."""
    table, frame = entry.values, entry.frame()
    for row, (reader, treatment) in enumerate(zip(table["reader"], table["treatment"], strict=True)):
        yield row, *cell(frame, reader, treatment)


def dataset(entry: Entry) -> tuple[Bools, Floats]:
    """'topic/vandyke/r1_t1' or 'topic/asah/s100b' as truth and rating."""
    _, name, which = entry.id.split("/")
    frame = oracle_data(name)
    if name == "asah":
        return frame["truth"].to_numpy() == 1, frame[which].to_numpy(float)
    reader, treatment = which[1:].split("_t")
    return cell(frame, reader, treatment)
