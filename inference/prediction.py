"""What a model says of one case, and what a worker is asked. Free of torch, so that the web may read it.

Both cross a queue as plain data and are read back by their declarations: what is missing, unknown, of another type or
out of its bounds is refused by the path of its field (`inference.declared`).
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any

from inference.declared import SpecError, Within, document_of, parsed

Share = Annotated[float, Within(0.0, 1.0)]
Number = Annotated[int, Within(0, 1 << 20)]
Size = Annotated[int, Within(1, 1 << 16)]
NotNegative = Annotated[float, Within(0.0)]
# Row and column in pixels: the centre of the first pixel is (0, 0).
Point = tuple[float, float]

MOST_PLANES, MOST_MARKS = 1024, 256
# Of all planes of an answer together: they travel through the broker.
LARGEST_PLANES = 8 << 20
LONGEST_WORD = 200


@dataclass(frozen=True)
class Plane:
    """A grey PNG that covers one slice exactly, at whatever resolution.

    Attributes
    ----------
    series, slice : int
        Places among the series of the request and among the frames of that series, from 0.
    png : str
        Base64 of the file. Of a heat map 255 is the strongest support; of a mask all above 127 belongs to the target.
    """

    series: Number
    slice: Number
    png: str

    @property
    def content(self) -> bytes:
        return base64.b64decode(self.png, validate=True)

    @classmethod
    def of(cls, png: bytes, *, series: int = 0, slice: int = 0) -> Plane:
        return cls(series, slice, base64.b64encode(png).decode())


@dataclass(frozen=True)
class Box:
    """A box around something found, in pixels of one slice: row and column of its first pixel's centre."""

    series: Number
    slice: Number
    row: float
    column: float
    height: NotNegative
    width: NotNegative
    label: str = ""
    probability: Share | None = None


@dataclass(frozen=True)
class Vertebra:
    """What is said of one vertebral body.

    Attributes
    ----------
    level : str
        As in ``L1``.
    probability : float
        Of its fracture.
    positive : bool
        At the operating point of the card.
    corners : tuple of four points or None
        Anterior superior, posterior superior, posterior inferior, anterior inferior.
    heights : tuple of three float or None
        Anterior, middle, posterior in mm.
    """

    level: str
    probability: Share
    positive: bool
    series: Number = 0
    slice: Number = 0
    corners: tuple[Point, Point, Point, Point] | None = None
    heights: tuple[NotNegative, NotNegative, NotNegative] | None = None


@dataclass(frozen=True)
class Prediction:
    """One model's answer to one case.

    Attributes
    ----------
    probability : float
        Calibrated probability of the positive label in [0, 1], rounded to six decimals: batches of
        another composition differ by 1e-8, and a stored number must not.
    positive : bool
        ``probability >= operating_point``.
    operating_point : float
        The threshold frozen in the card.
    card_digest, input_digest : str
        SHA-256 of the card and of the pixels with their geometry.
    abstain : tuple of float or None
        Band of the card in which the answer is "uncertain".
    heatmaps, masks : tuple of Plane or None
        Of the slices that have any; None where the model has no such output, empty where it marks nothing.
    vertebrae, boxes : tuple or None
        In the same way.
    seconds : mapping of str to float
        Time by step: ``load``, ``preprocess``, ``forward``, ``post``, ``explain``.
    device, runtime : str
        Where and by what it was computed.
    versions : mapping of str to str
        Of the programs that computed it.

    Examples
    --------
    >>> answer = Prediction(0.83, True, 0.41, "c" * 64, "i" * 64)
    >>> Prediction.from_message(answer.to_message()) == answer
    True
    """

    probability: Share
    positive: bool
    operating_point: Share
    card_digest: str
    input_digest: str
    abstain: tuple[Share, Share] | None = None
    heatmaps: tuple[Plane, ...] | None = None
    masks: tuple[Plane, ...] | None = None
    vertebrae: tuple[Vertebra, ...] | None = None
    boxes: tuple[Box, ...] | None = None
    seconds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    device: str = "cpu"
    runtime: str = "torch"
    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise SpecError("probability", f"it lies between 0 and 1, not at {self.probability}.")
        if self.positive != (self.probability >= self.operating_point):
            raise SpecError("positive", "the decision does not follow from probability and operating point.")
        if self.abstain is not None and not self.abstain[0] <= self.operating_point <= self.abstain[1]:
            raise SpecError("abstain", "the operating point lies between its two numbers.")
        check_planes(self.heatmaps or (), "heatmaps")
        check_planes(self.masks or (), "masks")
        if sum(len(plane.png) for plane in (*(self.heatmaps or ()), *(self.masks or ()))) > LARGEST_PLANES:
            raise SpecError("masks", f"all planes together are larger than {LARGEST_PLANES >> 20} MiB.")
        check_marks(self)
        check_words(self)

    @property
    def uncertain(self) -> bool:
        """Whether the probability lies in the card's band of abstention, its upper end excluded."""
        return self.abstain is not None and self.abstain[0] <= self.probability < self.abstain[1]

    @property
    def heatmap_png(self) -> bytes | None:
        """The first heat map; of a film the only one."""
        return self.heatmaps[0].content if self.heatmaps else None

    def to_message(self) -> dict[str, Any]:
        """The answer as plain data for a message queue."""
        return dict(document_of(self))

    @classmethod
    def from_message(cls, message: object) -> Prediction:
        """Read plain data; raises SpecError, a ValueError, where it is not an answer."""
        return parsed(cls, message, "answer")


def check_planes(planes: Iterable[Plane], where: str) -> None:
    seen: set[tuple[int, int]] = set()
    for number, plane in enumerate(planes):
        if number == MOST_PLANES:
            raise SpecError(where, f"there are more than {MOST_PLANES}.")
        if (plane.series, plane.slice) in seen:
            raise SpecError(f"{where}[{number}]", f"slice {plane.slice} of series {plane.series} has one already.")
        seen.add((plane.series, plane.slice))
        try:
            content = plane.content
        except (binascii.Error, ValueError) as error:
            raise SpecError(f"{where}[{number}].png", "is not base64.") from error
        if not content.startswith(b"\x89PNG\r\n\x1a\n"):
            raise SpecError(f"{where}[{number}].png", "is not a PNG file.")


def check_marks(answer: Prediction) -> None:
    for name, marks in (("vertebrae", answer.vertebrae or ()), ("boxes", answer.boxes or ())):
        if len(marks) > MOST_MARKS:
            raise SpecError(name, f"there are more than {MOST_MARKS}.")
    for number, vertebra in enumerate(answer.vertebrae or ()):
        if not 1 <= len(vertebra.level) <= 8 or not vertebra.level.isalnum():
            raise SpecError(f"vertebrae[{number}].level", f"{vertebra.level[:20]!r} is no level of a vertebra.")
    for number, box in enumerate(answer.boxes or ()):
        if len(box.label) > LONGEST_WORD:
            raise SpecError(f"boxes[{number}].label", f"is longer than {LONGEST_WORD} characters.")


def check_words(answer: Prediction) -> None:
    for step, spent in answer.seconds.items():
        if isinstance(spent, bool) or not isinstance(spent, int | float) or not 0 <= spent < math.inf:
            raise SpecError(f"seconds.{step}", f"a time is wanted, not {spent!r}.")
    words = [answer.card_digest, answer.input_digest, answer.device, answer.runtime]
    words += [*answer.seconds, *answer.versions, *answer.versions.values()]
    if not all(isinstance(word, str) and len(word) <= LONGEST_WORD and "\0" not in word for word in words):
        raise SpecError("versions", f"words of at most {LONGEST_WORD} characters are wanted.")


@dataclass(frozen=True)
class Frame:
    """Where the pixels of one image lie and how they are to be read.

    Attributes
    ----------
    uri : str
        ``file:///…`` or ``https://…`` of a stored frame (see ``inference.imaging.pixels.decode_frame``).
    sha256 : str
        Digest of the stored bytes.
    rows, columns : int
    samples : int
        1 in grey; 3 in colour, of which a model gets the luminance.
    slope, intercept : float
        Shown value = slope × stored value + intercept.
    inverted : bool
        Whether low values are bright (MONOCHROME1).
    spacing : tuple of float or None
        Millimetres between rows and between columns.
    origin, orientation : tuple of float or None
        Where the middle of the first pixel lies in the patient, in mm; directions of a row and of a column.
    """

    uri: str
    sha256: str
    rows: Size
    columns: Size
    samples: Annotated[int, Within(1, 3)] = 1
    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False
    spacing: tuple[NotNegative, NotNegative] | None = None
    origin: tuple[float, float, float] | None = None
    orientation: tuple[float, float, float, float, float, float] | None = None


@dataclass(frozen=True)
class Series:
    """One series of a case, its frames in order.

    Attributes
    ----------
    name : str
        As the case calls it, such as ``T1W``; may be empty.
    modality, view : str
        As DICOM has them, such as ``MR``; ``DX`` and ``LL``; empty where unknown.
    """

    name: str
    modality: str
    frames: tuple[Frame, ...]
    view: str = ""


@dataclass(frozen=True)
class Place:
    """Where the finding lies, in voxels of the first input's image: its middle, the middle of the first voxel being 0.

    ``height`` and ``width`` are those of its box; 0 where unknown.
    """

    slice: float
    row: float
    column: float
    height: NotNegative = 0.0
    width: NotNegative = 0.0


@dataclass(frozen=True)
class Item:
    """One case of a request: the row it belongs to, its lease, its pixels, the place of its finding."""

    prediction: str
    lease: str
    input_digest: str
    series: tuple[Series, ...]
    place: Place | None = None


@dataclass(frozen=True)
class Request:
    """What a worker is asked: one model, some cases, and how long its silence is borne.

    Examples
    --------
    >>> Request.from_message({"card": "file:///m/card.json", "weights": "file:///m/weights.safetensors",
    ...                       "card_digest": "c" * 64, "heatmap": True, "items": []}).items
    ()
    """

    card: str
    weights: str
    card_digest: str
    heatmap: bool
    items: tuple[Item, ...]
    lease_seconds: Annotated[float, Within(1.0)] = 60.0

    def to_message(self) -> dict[str, Any]:
        """The request as plain data for a message queue."""
        return dict(document_of(self))

    @classmethod
    def from_message(cls, message: object) -> Request:
        """Read plain data; raises SpecError, a ValueError, where it is not a request."""
        return parsed(cls, message, "request")
