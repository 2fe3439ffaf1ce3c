"""What a reader may see, as plain frozen data: there is no field for truth, names, sites or other readers."""

from dataclasses import asdict, dataclass
from typing import Any

from readerstudy.predictions.overlays import Output, without_places

# The last two are answers of several choices or marks, and of grids.
Value = bool | int | float | str | list[Any] | dict[str, Any]


@dataclass(frozen=True)
class Option:
    value: bool | str
    label: str


@dataclass(frozen=True)
class Asked:
    """One question of the protocol."""

    key: str
    kind: str
    text: str
    help: str = ""
    required: bool = True
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    choices: tuple[Option, ...] = ()
    agrees_with: str | None = None
    threshold: float | None = None
    scale: str = "slider"
    items: tuple[Option, ...] = ()
    depends_on: str | None = None
    depends_on_values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Window:
    """`table`: the place of its look-up table among those of the series."""

    center: float
    width: float
    shape: str = "linear"
    table: int | None = None


@dataclass(frozen=True)
class Preset:
    label: str
    center: float
    width: float
    shape: str = "linear"
    table: int | None = None


@dataclass(frozen=True)
class Frame:
    url: str
    preview: str | None
    rows: int
    columns: int
    samples: int
    bits: int
    inverted: bool
    slope: float
    intercept: float
    window: Window
    spacing: list[float] | None
    calibrated: bool
    position: list[float] | None
    orientation: list[float] | None
    letters: list[str] | None
    storage_key: str
    preview_storage_key: str


@dataclass(frozen=True)
class SeriesSight:
    """`space`: its frame of reference among those of the case; places are compared within one, and within 0."""

    label: str
    plane: str
    frames: tuple[Frame, ...]
    presets: tuple[Preset, ...]
    unit: str
    tables: tuple[list[int], ...] = ()
    space: int = 0


@dataclass(frozen=True)
class Assistance(Output):
    """The model's output as far as the arm shows it."""

    heatmap_at_once: bool


@dataclass(frozen=True)
class Prefetch:
    """Pixels of the case that follows, and nothing but pixels."""

    slot: str
    series: tuple[SeriesSight, ...]


@dataclass(frozen=True)
class Progress:
    done: int
    total: int


@dataclass(frozen=True)
class Log:
    """What the reader did in this case before the page was left, for the page that goes on with it."""

    elapsed_ms: int
    events: list[dict[str, Any]]
    exposures: list[dict[str, Any]]


@dataclass(frozen=True)
class ReaderView:
    """`stage`: first where the own answer comes before the output, else final. `withheld`: no output after all.

    `on_request`: the output comes when the reader asks. `unreadable`: reasons for which a case may be left unread.
    `previous`: the case before, where the protocol allows a way back; `revised`: this is such a way back.
    """

    slot: str
    progress: Progress
    period: int
    arm_label: str
    series: tuple[SeriesSight, ...]
    hanging: dict[str, Any] | None
    questions: tuple[Asked, ...]
    unreadable: tuple[str, ...]
    draft: dict[str, Any] | None
    activity: Log | None
    stage: str
    training: bool
    withheld: bool
    on_request: bool
    revised: bool
    previous: str | None
    assistance: Assistance | None
    next_prefetch: Prefetch | None

    def to_document(self) -> dict[str, Any]:
        """What goes to the browser: all of it but the places of the files in the storage."""
        return asdict(self, dict_factory=without_places)
