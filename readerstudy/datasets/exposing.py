"""What of the models' output lay over which image on the reader's screen, by the record of the browser."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

from django.db.models import Q, QuerySet

from readerstudy.allocation.models import Slot
from readerstudy.reading.activity import Toggled, shown_times
from readerstudy.reading.models import Exposure, Reading
from readerstudy.studies.models import Study

from .tidy import Cell

# Of outlines, boxes and heat maps it counts on which images they lay on the screen; figures and names of levels stand
# beside the image as long as they are switched on.
IN_SIGHT = Q(image__isnull=False) | Q(kind__in=["probability", "levels"])


def submitted_of(study: Study) -> QuerySet[Reading]:
    """Training is no part of the data."""
    return Reading.objects.filter(slot__reader__study=study, slot__training=0, phase=Reading.Phase.SUBMITTED)


def where(slot: Slot, cases: dict[int, dict[str, Cell]]) -> dict[str, Cell]:
    facts = cases[slot.case_id]
    return {
        "reader": slot.reader.code,
        "seniority": slot.reader.seniority,
        "external": slot.reader.external,
        "simulated": slot.reader.simulated,
        "arm": slot.arm.code,
        "period": slot.period.number,
        "position": slot.position,
        **{name: facts[name] for name in ("case", "patient", "site", "truth")},
    }


def output_seconds(reading: Reading, toggles: list[Toggled]) -> dict[str, Cell]:
    """When any output was first in sight and for how long, by the browser's record."""
    if reading.source_id is not None:
        return {"output_after_seconds": None, "output_seconds": None}
    seen = shown_times(toggles, until_ms=duration_of(reading))
    return {"output_after_seconds": seconds(seen.first_ms), "output_seconds": seconds(seen.total_ms)}


def duration_of(reading: Reading) -> int:
    return sum(filter(None, (reading.active_ms, reading.idle_ms, reading.hidden_ms, reading.load_ms)))


def exposures_in(study: Study) -> QuerySet[Exposure]:
    return Exposure.objects.filter(
        reading__slot__reader__study=study, source=Exposure.Source.BROWSER, reading__phase=Reading.Phase.SUBMITTED
    ).order_by("reading", "number")


def toggled(one: Exposure) -> Toggled:
    return Toggled((one.kind, one.image, one.plane, one.position), one.shown, one.after_ms)


def exposures_of(study: Study, cases: dict[int, dict[str, Cell]]) -> Iterator[dict[str, Cell]]:
    rows = exposures_in(study).filter(reading__slot__training=0)
    rows = rows.select_related("reading__slot__reader", "reading__slot__arm", "reading__slot__period")
    for reading, given in groupby(rows, attrgetter("reading")):
        by_place: dict[tuple[str, int, str, int], list[Exposure]] = defaultdict(list)
        for one in given:
            by_place[one.kind, one.image or 0, one.plane, one.position or 0].append(one)
        for (kind, image, plane, position), happened in by_place.items():
            seen = shown_times(map(toggled, happened), until_ms=duration_of(reading))
            opacities = [one.opacity for one in happened if one.opacity is not None]
            yield where(reading.slot, cases) | {
                "output": kind,
                "image_number": image,
                "made_plane": plane,
                "plane_number": position,
                "after_seconds": seconds(seen.first_ms),
                "seconds": seconds(seen.total_ms),
                "least_opacity": min(opacities, default=None),
                "most_opacity": max(opacities, default=None),
            }


def seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
