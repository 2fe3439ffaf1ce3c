"""What the reading page needs to know. `what_reader_sees` is the only source of what a reader gets to see of a case."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.files.storage import storages
from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from readerstudy.accounts.models import User
from readerstudy.allocation.models import Slot
from readerstudy.cases.models import Image, Series
from readerstudy.cases.pictures import presets_of as windows_of
from readerstudy.predictions.findings import Box, StoredPlane, Vertebra, findings_in
from readerstudy.predictions.queries import prediction_for_reader
from readerstudy.studies.models import Enrolment, Question, Study

from . import sight
from .models import Answer, Reading, ReadingSession, WashoutOverride
from .permissions import check_study_open, check_turn, check_washout

YES_NO = {"no": False, "yes": True}


def reader_for(user: User, token: str) -> Enrolment:
    """A reader's own enrolment; for everybody else it does not exist."""
    enrolment = readings_of(user).filter(token=token).first()
    if enrolment is None:
        raise Http404
    return enrolment


def readings_of(user: User) -> QuerySet[Enrolment]:
    return (
        Enrolment.objects.filter(user=user, role=Enrolment.Role.READER, active=True, external=False)
        .select_related("study")
        .order_by("pk")
    )


def slot_for(user: User, token: str) -> Slot:
    """A reader's own slot; for everybody else it does not exist."""
    slot = (
        Slot.objects.filter(token=token, external=False, reader__user=user, reader__active=True)
        .select_related("reader__study", "arm", "period", "case")
        .first()
    )
    if slot is None:
        raise Http404
    return slot


def open_slots(reader: Enrolment) -> QuerySet[Slot]:
    """What a reader has still to read, in the order drawn."""
    return (
        Slot.objects.filter(reader=reader, external=False)
        .exclude(reading__phase=Reading.Phase.SUBMITTED)
        .select_related("reader__study", "arm", "period", "case")
        .order_by("period__number", "position")
    )


def due_at(slot: Slot) -> datetime | None:
    """When the washout of a slot ends: days after this reader last saw the case. None where nothing is to wait for.

    Counted in full days of 24 hours from an instant, so that no clock change and no time zone moves it.
    """
    if not slot.period.washout_days:
        return None
    readings = Reading.objects.filter(slot__reader_id=slot.reader_id, slot__case_id=slot.case_id).exclude(slot=slot)
    last: datetime | None = readings.aggregate(last=Max("last_exposed_at"))["last"]
    if last is None or WashoutOverride.objects.filter(slot=slot, agreed_by__isnull=False).exists():
        return None
    return last.astimezone(UTC) + timedelta(days=slot.period.washout_days)


def check_opens(slot: Slot, upcoming: Slot | None, now: datetime) -> None:
    check_study_open(slot.reader.study)
    check_turn(slot, upcoming)
    check_washout(due_at(slot), now)


def is_due(slot: Slot, now: datetime) -> bool:
    due = due_at(slot)
    return due is None or due <= now


def current_and_next(reader: Enrolment) -> tuple[Slot | None, Slot | None]:
    first_two = [*open_slots(reader)[:2], None, None]
    return first_two[0], first_two[1]


def prefetchable(current: Slot, following: Slot | None, now: datetime) -> Slot | None:
    """The next case of the same period, where its washout is over; its pixels may lie ready."""
    if following is None or following.period_id != current.period_id or not is_due(following, now):
        return None
    return following


def progress_of(reader: Enrolment, period_id: int | None = None) -> sight.Progress:
    slots = Slot.objects.filter(reader=reader, external=False)
    if period_id is not None:
        slots = slots.filter(period_id=period_id)
    submitted = Count("pk", filter=Q(reading__phase=Reading.Phase.SUBMITTED))
    counts = slots.order_by().aggregate(total=Count("pk"), done=submitted)
    return sight.Progress(done=counts["done"], total=counts["total"])


def open_session(reader: Enrolment) -> ReadingSession | None:
    return ReadingSession.objects.filter(reader=reader, ended_at=None).first()


# The one function


def what_reader_sees(slot: Slot) -> sight.ReaderView:
    """Everything that a reader gets of a slot, from which page, JSON and bytes are made."""
    reading = Reading.objects.filter(slot=slot).first()
    current, following = current_and_next(slot.reader)
    ahead = prefetchable(slot, following, timezone.now()) if current == slot else None
    series = series_in_sight([slot, ahead] if ahead else [slot])
    return sight.ReaderView(
        slot=slot.token,
        progress=progress_of(slot.reader, slot.period_id),
        period=slot.period.number,
        arm_label=slot.arm.label,
        series=series[slot.pk],
        questions=questions_of(slot.reader.study),
        draft=reading.draft if reading else None,
        assistance=assistance_of(slot, series[slot.pk]),
        next_prefetch=sight.Prefetch(ahead.token, series[ahead.pk]) if ahead else None,
    )


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
        frames = tuple(frame_of(slot, image, numbered + place) for place, image in enumerate(images, start=1))
        numbered += len(images)
        shown.append(sight.SeriesSight(series.label, series.plane, frames, presets_of(series, images), series.unit))
    return tuple(shown)


def frame_of(slot: Slot, image: Image, number: int) -> sight.Frame:
    url = reverse("reading:frame", args=[slot.token, number])
    return sight.Frame(
        url=url,
        preview=f"{url}?quarter=1" if image.preview_key else None,
        rows=image.rows,
        columns=image.columns,
        bits=image.bits,
        inverted=image.inverted,
        slope=image.slope,
        intercept=image.intercept,
        window=sight.Window(image.window_center, image.window_width),
        spacing=image.spacing,
        calibrated=image.calibrated,
        storage_key=image.frame_key,
        preview_storage_key=image.preview_key,
    )


def presets_of(series: Series, images: Iterable[Image]) -> tuple[sight.Preset, ...]:
    own = [sight.Preset("Image", image.window_center, image.window_width) for image in images][:1]
    usual = [sight.Preset(window.label, window.center, window.width) for window in windows_of(series.modality)]
    return (*own, *usual)


def questions_of(study: Study) -> tuple[sight.Asked, ...]:
    return tuple(asked(row) for row in question_rows(study))


def question_rows(study: Study) -> list[Question]:
    return list(study.questions.order_by("position").select_related("agrees_with").prefetch_related("choices"))


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
    )


def choices_of(question: Question) -> tuple[sight.Option, ...]:
    written = [(choice.value, choice.label) for choice in question.choices.all()]
    if question.kind != Question.Kind.DECISION:
        return tuple(sight.Option(value, label) for value, label in written)
    # A decision is stored as true or false; the protocol may give the two their own words.
    words = {"no": "No", "yes": "Yes"} | dict(written)
    return tuple(sight.Option(positive, words[value]) for value, positive in YES_NO.items())


def assistance_of(slot: Slot, series: tuple[sight.SeriesSight, ...]) -> sight.Assistance | None:
    """The model's output as far as the slot's arm shows it; for unaided slots nothing is even looked up."""
    arm = slot.arm
    if not arm.aided:
        return None
    prediction = prediction_for_reader(slot.reader.study, slot.case)
    if prediction is None:
        return None
    found = findings_in(prediction.findings)
    figures = arm.shows_probability
    placed = Placed(slot.token, tuple(tuple(frame.url for frame in one.frames) for one in series), figures=figures)
    return sight.Assistance(
        algorithm=str(prediction.algorithm),
        probability=prediction.probability if figures else None,
        operating_point=found.operating_point if figures else None,
        positive=prediction.positive if figures else None,
        abstain=found.abstain if figures else None,
        uncertain=prediction.uncertain if figures else None,
        heatmaps=placed.overlays("heatmap", found.heatmaps) if arm.shows_heatmap else None,
        masks=placed.overlays("mask", found.masks) if arm.shows_mask else None,
        boxes=placed.boxes(found.boxes) if arm.shows_boxes else None,
        levels=placed.levels(found.vertebrae) if arm.shows_levels else None,
    )


@dataclass(frozen=True)
class Placed:
    """Findings on the frames of a case as this reader's addresses name them."""

    slot: str
    frames: tuple[tuple[str, ...], ...]
    figures: bool

    def frame(self, series: int, slice: int) -> str:
        return self.frames[series][slice]

    def number(self, series: int, slice: int) -> int:
        """Of the frame, counted through all series of the case."""
        return sum(len(before) for before in self.frames[:series]) + slice + 1

    def overlays(self, kind: str, planes: tuple[StoredPlane, ...] | None) -> tuple[sight.Overlay, ...] | None:
        if planes is None:
            return None
        return tuple(
            sight.Overlay(
                frame=self.frame(plane.series, plane.slice),
                url=reverse(f"reading:{kind}", args=[self.slot, self.number(plane.series, plane.slice)]),
                storage_key=plane.key,
            )
            for plane in planes
        )

    def boxes(self, boxes: tuple[Box, ...] | None) -> tuple[sight.Marked, ...] | None:
        return None if boxes is None else tuple(self.marked_box(box) for box in boxes)

    def marked_box(self, box: Box) -> sight.Marked:
        # From pixels whose centres are whole numbers to points whose origin is the corner of the first pixel.
        left, top, right, bottom = box.column, box.row, box.column + box.width, box.row + box.height
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        probability = box.probability if self.figures else None
        return sight.Marked(self.frame(box.series, box.slice), box.label, corners, probability, None)

    def levels(self, vertebrae: tuple[Vertebra, ...] | None) -> tuple[sight.Marked, ...] | None:
        return None if vertebrae is None else tuple(self.marked_level(vertebra) for vertebra in vertebrae)

    def marked_level(self, vertebra: Vertebra) -> sight.Marked:
        return sight.Marked(
            frame=self.frame(vertebra.series, vertebra.slice),
            label=vertebra.level,
            points=tuple((column + 0.5, row + 0.5) for row, column in vertebra.corners or ()),
            probability=vertebra.probability if self.figures else None,
            positive=vertebra.positive if self.figures else None,
        )


# Bytes: of nothing but what the functions above put into sight


def frame_bytes(slot: Slot, number: int, *, quarter: bool) -> bytes:
    """The stored frame as it is; missing like anything else that does not exist."""
    frames = [frame for series in series_in_sight([slot])[slot.pk] for frame in series.frames]
    if not 1 <= number <= len(frames):
        raise Http404
    frame = frames[number - 1]
    return stored(frame.preview_storage_key if quarter else frame.storage_key)


def overlay_bytes(slot: Slot, kind: str, number: int) -> bytes:
    """A heat map or mask of one frame; missing wherever the assistance holds none."""
    assistance = assistance_of(slot, series_in_sight([slot])[slot.pk]) if slot.arm.aided else None
    shown = {"heatmap": assistance.heatmaps, "mask": assistance.masks}[kind] if assistance else None
    address = reverse(f"reading:{kind}", args=[slot.token, number])
    return stored(next((overlay.storage_key for overlay in shown or () if overlay.url == address), ""))


def stored(key: str) -> bytes:
    place = storages["default"]
    if not key or not place.exists(key):
        raise Http404
    with place.open(key, "rb") as stream:
        content: bytes = stream.read()
        return content


# Answers


def current_answers(reading: Reading) -> dict[str, Answer]:
    """The latest answer to each question, by the question's key."""
    rows = Answer.objects.filter(reading=reading).select_related("question").order_by("question_id", "-number")
    return {answer.question.key: answer for answer in rows.distinct("question_id")}
