"""What the reading page is made of. `what_reader_sees` is the only source of what a reader gets to see of a case."""

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from django.core.files.storage import storages
from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from readerstudy.allocation.models import Slot
from readerstudy.cases.delivery import tables_of, window_of
from readerstudy.cases.models import Image, Series
from readerstudy.cases.pictures import presets_of as windows_of
from readerstudy.predictions.findings import findings_in
from readerstudy.predictions.models import Prediction
from readerstudy.predictions.queries import prediction_for_reader
from readerstudy.reading import sight
from readerstudy.reading.models import Answer, Reading
from readerstudy.reading.placing import placed_for
from readerstudy.studies.models import Arm, Question, Study
from readerstudy.studies.queries import rules_of

from .training import training_progress
from .turns import current_and_next, last_submitted, prefetchable, progress_of

MOST_TOGETHER = 8
# Pixels of a frame; what is larger is sent alone.
LARGEST_TOGETHER = 1 << 19
# Of a probability in an arm with planned wrong output: a millionth.
DIGITS = 10**6
YES_NO = {"no": False, "yes": True}


def what_reader_sees(slot: Slot) -> sight.ReaderView:
    """Everything that a reader gets of a slot, from which page, JSON and bytes are made."""
    reading = Reading.objects.filter(slot=slot).first()
    current, following = current_and_next(slot.reader)
    ahead = prefetchable(slot, following, timezone.now()) if current == slot else None
    series = series_in_sight([slot, ahead] if ahead else [slot])
    rules = rules_of(slot.reader.study)
    revised = reading is not None and reading.phase == Reading.Phase.SUBMITTED
    stage = stage_of(slot, reading)
    return sight.ReaderView(
        slot=slot.token,
        progress=training_progress(slot) if slot.training else progress_of(slot.reader, slot.period_id),
        period=slot.period.number,
        arm_label=slot.arm.label,
        series=series[slot.pk],
        hanging=rules.hanging,
        questions=questions_of(slot.reader.study),
        unreadable=() if revised else tuple(rules.unreadable_reasons),
        draft=draft_of(reading),
        activity=log_of(reading),
        stage=stage,
        training=slot.training > 0,
        withheld=slot.withheld and stage == Answer.Stage.FINAL,
        on_request=not revised
        and slot.arm.assistance == Arm.Assistance.ON_REQUEST
        and not is_output_due(slot, reading),
        revised=revised,
        previous=previous_of(slot) if rules.may_revise and not revised else None,
        assistance=assistance_of(slot, series[slot.pk], reading),
        next_prefetch=sight.Prefetch(ahead.token, series[ahead.pk]) if ahead else None,
    )


def previous_of(slot: Slot) -> str | None:
    """The case that the reader may go back to."""
    last = last_submitted(slot.reader)
    return last.token if last else None


def stage_of(slot: Slot, reading: Reading | None) -> str:
    """Where output comes after the own answer, that answer is the first one."""
    waits = slot.arm.assistance == Arm.Assistance.SEQUENTIAL and (reading is None or reading.first_at is None)
    return Answer.Stage.FIRST if waits else Answer.Stage.FINAL


def draft_of(reading: Reading | None) -> dict[str, Any] | None:
    """What was entered last; after the own answer that answer, and of a submitted case what is stored."""
    if reading is None or (reading.draft is None and reading.first_at is None and reading.submitted_at is None):
        return None
    if reading.draft is not None:
        draft: dict[str, Any] = reading.draft
        return draft
    return {key: answer.value for key, answer in current_answers(reading).items()}


def log_of(reading: Reading | None) -> sight.Log | None:
    """The log beside the draft. Since then the page was out of view."""
    if reading is None or reading.draft_log is None or reading.opened_at is None:
        return None
    kept = reading.draft_log
    elapsed = timezone.now() - reading.opened_at
    left = {"t": kept["duration_ms"], "kind": "hidden"}
    return sight.Log(max(0, int(elapsed.total_seconds() * 1000)), [*kept["events"], left], kept["exposures"])


def is_output_due(slot: Slot, reading: Reading | None) -> bool:
    """The one place that says when a reader may get the model's output."""
    if not slot.arm.aided or slot.withheld:
        return False
    match slot.arm.assistance:
        case Arm.Assistance.SEQUENTIAL:
            return reading is not None and reading.first_at is not None
        case Arm.Assistance.ON_REQUEST:
            return reading is not None and reading.output_at is not None
    return True


def series_in_sight(slots: list[Slot]) -> dict[int, tuple[sight.SeriesSight, ...]]:
    images = Prefetch("images", queryset=Image.objects.order_by("position"))
    cases = [slot.case_id for slot in slots]
    found = list(Series.objects.filter(case_id__in=cases).order_by("position").prefetch_related(images))
    return {slot.pk: series_of(slot, [row for row in found if row.case_id == slot.case_id]) for slot in slots}


def series_of(slot: Slot, rows: list[Series]) -> tuple[sight.SeriesSight, ...]:
    """Frames are numbered through all series of the case."""
    numbered = 0
    shown = []
    for series in rows:
        images = list(series.images.all())
        tables = tables_of(images)
        frames = tuple(frame_of(slot, image, numbered + place, tables) for place, image in enumerate(images, start=1))
        numbered += len(images)
        presets = presets_of(series, images, tables)
        shown.append(
            sight.SeriesSight(
                series.label, series.plane, frames, presets, series.unit, tuple(tables), series.frame_of_reference
            )
        )
    return tuple(shown)


def frame_of(slot: Slot, image: Image, number: int, tables: list[list[int]]) -> sight.Frame:
    url = reverse("reading:frame", args=[slot.token, number])
    return sight.Frame(
        url=url,
        preview=f"{url}?quarter=1" if image.preview_key else None,
        rows=image.rows,
        columns=image.columns,
        samples=image.samples,
        bits=image.bits,
        inverted=image.inverted,
        slope=image.slope,
        intercept=image.intercept,
        window=sight.Window(**window_of(image, tables)),
        spacing=image.spacing,
        calibrated=image.calibrated,
        position=image.origin,
        orientation=image.orientation,
        letters=None if image.orientation else image.letters,
        storage_key=image.frame_key,
        preview_storage_key=image.preview_key,
    )


def presets_of(series: Series, images: Iterable[Image], tables: list[list[int]]) -> tuple[sight.Preset, ...]:
    own = [sight.Preset("Image", **window_of(image, tables)) for image in images][:1]
    usual = [sight.Preset(window.label, window.center, window.width) for window in windows_of(series.modality)]
    numbered = enumerate(series.more_windows, start=2)
    others = [sight.Preset(_("Image %(number)s") % {"number": number}, *one) for number, one in numbered]
    return (*own, *others, *usual)


def questions_of(study: Study) -> tuple[sight.Asked, ...]:
    return tuple(asked(row) for row in question_rows(study))


def question_rows(study: Study) -> list[Question]:
    rows = study.questions.order_by("position").select_related("agrees_with", "depends_on")
    return list(rows.prefetch_related("choices", "items"))


def settled_questions(study: Study) -> tuple[Question, ...]:
    """The questions of a study whose protocol is frozen, for checking answers to them."""
    assert study.phase != Study.Phase.DRAFT
    return _settled(study.token)


# Every submission checks against them. From the freeze on the database lets nothing of them change but the help, which
# is no matter here.
@lru_cache(maxsize=64)
def _settled(token: str) -> tuple[Question, ...]:
    return tuple(question_rows(Study.objects.get(token=token)))


def asked(question: Question) -> sight.Asked:
    return sight.Asked(
        key=question.key,
        kind=question.kind,
        text=question.text,
        help=question.help,
        required=question.required,
        minimum=question.minimum,
        maximum=question.maximum,
        unit=question.unit,
        choices=choices_of(question),
        agrees_with=question.agrees_with.key if question.agrees_with else None,
        threshold=question.threshold,
        scale=question.scale,
        items=tuple(sight.Option(item.value, item.label) for item in question.items.all()),
        depends_on=question.depends_on.key if question.depends_on else None,
        depends_on_values=tuple(question.depends_on_values),
    )


def choices_of(question: Question) -> tuple[sight.Option, ...]:
    written = [(choice.value, choice.label) for choice in question.choices.all()]
    if question.kind != Question.Kind.DECISION:
        return tuple(sight.Option(value, label) for value, label in written)
    # A decision is stored as true or false; the protocol may give the two their own words.
    words = {"no": _("No"), "yes": _("Yes")} | dict(written)
    return tuple(sight.Option(positive, words[value]) for value, positive in YES_NO.items())


def assistance_of(
    slot: Slot, series: tuple[sight.SeriesSight, ...], reading: Reading | None = None
) -> sight.Assistance | None:
    """The model's output as far as the slot's arm shows it now; otherwise nothing is even looked up."""
    if not is_output_due(slot, reading):
        return None
    prediction = prediction_for_reader(slot.reader.study, slot.case)
    if prediction is None:
        return None
    arm = slot.arm
    found = findings_in(prediction.findings)
    figures = arm.shows_probability
    said = said_to(slot, prediction)
    # A band of abstention would tell what was planned wrong from what was not.
    banded = figures and not arm.sham_share
    frames = tuple(tuple(frame.url for frame in one.frames) for one in series)
    placed = placed_for(slot.token, frames, figures=figures)
    return sight.Assistance(
        algorithm=str(prediction.algorithm),
        probability=said.probability if figures else None,
        operating_point=found.operating_point if figures else None,
        positive=said.positive if figures else None,
        abstain=found.abstain if banded else None,
        uncertain=prediction.uncertain if banded else None,
        heatmaps=placed.overlays("heatmap", found) if arm.shows_heatmap else None,
        heatmap_at_once=arm.shows_heatmap and arm.heatmap_at_once,
        masks=placed.overlays("mask", found) if arm.shows_mask else None,
        boxes=placed.boxes(found) if arm.shows_boxes else None,
        levels=placed.levels(found) if arm.shows_levels else None,
    )


class Said(NamedTuple):
    probability: float | None
    positive: bool | None


def said_to(slot: Slot, prediction: Prediction) -> Said:
    """Where some output is planned wrong, all has as many digits, on the side of its decision: none tells itself."""
    said = planned_wrong(prediction) if slot.sham else Said(prediction.probability, prediction.positive)
    if said.probability is None or not slot.arm.sham_share:
        return said
    towards = math.ceil if said.positive else math.floor
    return Said(towards(said.probability * DIGITS) / DIGITS, said.positive)


def planned_wrong(prediction: Prediction) -> Said:
    """The opposite of what the model said, as far from its operating point on the other side."""
    point, probability = findings_in(prediction.findings).operating_point, prediction.probability
    if probability is None:
        return Said(None, None)
    if probability < point:
        return Said(1 - probability / point * (1 - point), True)
    below = (1 - probability) / (1 - point or 1) * point
    # On the point itself the decision would be positive still.
    return Said(max(0.0, min(below, point - 1 / DIGITS)), False)


# Bytes: of nothing but what the functions above put into sight


def frame_bytes(slot: Slot, number: int, *, quarter: bool) -> bytes:
    """The stored frame as it is, numbered as in `series_of`; missing like anything else that does not exist."""
    if number < 1:
        raise Http404
    keys = images_of(slot).values_list("preview_key" if quarter else "frame_key", flat=True)[number - 1 : number]
    return stored(next(iter(keys), ""))


def frames_together(slot: Slot, first: int, last: int) -> bytes:
    """A few small neighbours, each after its length in four bytes, the lowest first: a stack is hundreds of them."""
    if not 1 <= first <= last < first + MOST_TOGETHER:
        raise Http404
    found = list(images_of(slot).values_list("frame_key", "rows", "columns")[first - 1 : last])
    if len(found) <= last - first or any(rows * columns > LARGEST_TOGETHER for _, rows, columns in found):
        raise Http404
    contents = [stored(key) for key, _, _ in found]
    return b"".join(len(content).to_bytes(4, "little") + content for content in contents)


def sizes_of(slot: Slot, questions: Iterable[Question]) -> list[tuple[int, int]] | None:
    """Rows and columns of the images in the order of their numbers; asked for where marks are placed on them."""
    if not any(question.kind == Question.Kind.MARKS for question in questions):
        return None
    return list(images_of(slot).values_list("rows", "columns"))


def images_of(slot: Slot) -> QuerySet[Image]:
    return Image.objects.filter(series__case_id=slot.case_id).order_by("series__position", "position")


def overlay_bytes(slot: Slot, kind: str, number: int) -> bytes:
    """A heat map or mask of one frame; missing wherever the assistance holds none."""
    reading = Reading.objects.filter(slot=slot).first()
    assistance = assistance_of(slot, series_in_sight([slot])[slot.pk], reading) if slot.arm.aided else None
    shown = {"heatmap": assistance.heatmaps, "mask": assistance.masks}[kind] if assistance else None
    address = reverse(f"reading:{kind}", args=[slot.token, number])
    return stored(next((overlay.storage_key for overlay in shown or () if overlay.url == address), ""))


def stored(key: str) -> bytes:
    if not key:
        raise Http404
    try:
        with storages["default"].open(key, "rb") as stream:
            content: bytes = stream.read()
    except FileNotFoundError as error:
        raise Http404 from error
    return content


# Answers


def current_answers(reading: Reading) -> dict[str, Answer]:
    """The latest answer to each question, by the question's key, without those that were taken back."""
    return {key: answer for key, answer in latest_answers(reading).items() if answer.value is not None}


def latest_answers(reading: Reading) -> dict[str, Answer]:
    """Of the own answer as long as no final one is due, then of the final one alone."""
    final = reading.first_at is None or (reading.phase == Reading.Phase.SUBMITTED and not reading.slot.withheld)
    stage = Answer.Stage.FINAL if final else Answer.Stage.FIRST
    rows = Answer.objects.filter(reading=reading, stage=stage).select_related("question")
    return {answer.question.key: answer for answer in rows.order_by("number")}
