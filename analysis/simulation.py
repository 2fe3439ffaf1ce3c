"""Simulated reader studies whose truth is known: Roe and Metz's model, its binary version, units within patients."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats, Ratings

Labels = npt.NDArray[np.int64]
ARMS = ("first", "second")
# Case, arm x case, reader x case, error: together one. First letter: correlation of the data, second: readers' spread.
CASES = {"H": (0.3, 0.3, 0.2, 0.2), "L": (0.1, 0.1, 0.2, 0.6)}
STRUCTURES = ("HL", "LL", "HH", "LH")


@dataclass(frozen=True)
class Variances:
    """Variance components of the latent rating; the four of the cases add up to one."""

    reader: float
    arm_reader: float
    case: float
    arm_case: float
    reader_case: float
    error: float

    def __post_init__(self) -> None:
        parts = (self.reader, self.arm_reader, self.case, self.arm_case, self.reader_case, self.error)
        if min(parts) < 0:
            raise CannotAnalyse("A variance component is never negative.")
        if not math.isclose(sum(parts[2:]), 1.0):
            raise CannotAnalyse("The variances of case, arm x case, reader x case and error add up to 1.")


def structure(name: str, spread: float = 0.0055, arm_spread: float | None = None) -> Variances:
    """Which variance components does a structure of Roe and Metz have?

    name: HL, LL, HH or LH; the first letter is the correlation between readings of one case (high, low), the second
    that between readers, which `spread` (variance of readers, and of arms within readers) takes its place.
    Source: Roe & Metz (1997), Acad. Radiol. 4:298-303, table 1.

    >>> structure("HL")
    Variances(reader=0.0055, arm_reader=0.0055, case=0.3, arm_case=0.3, reader_case=0.2, error=0.2)
    """
    if name not in STRUCTURES:
        raise CannotAnalyse(f"The structure is {', '.join(STRUCTURES)}, not {name}.")
    return Variances(spread, spread if arm_spread is None else arm_spread, *CASES[name[0]])


@dataclass(frozen=True, eq=False)
class Study:
    """One simulated study and its truth.

    ratings: reader x arm x case; auc, sensitivity, specificity: (reader, arm), the truth of these very readers over
    all cases; the means over all readers stand in the model. decisions: the ratings above the threshold.
    """

    ratings: Ratings
    decisions: Ratings
    auc: Floats
    sensitivity: Floats
    specificity: Floats


@dataclass(frozen=True)
class RoeMetz:
    """How are ratings made up of readers, cases and chance?

    X = mu[arm] truth + R + (arm R) + C + (arm C) + (R C) + E, all effects normal, independent, and drawn apart for
    diseased and non-diseased cases. auc: mean area of both arms over all readers, auc = Phi(mu / sqrt(2 (1 + reader
    + arm_reader))). A decision is X > threshold. Source: Roe & Metz (1997), Acad. Radiol. 4:298-303; the binary
    version with a threshold as in Gallas & Hillis (2014), J. Med. Imaging 1:031006.

    >>> model = RoeMetz((0.8, 0.85), structure("HL"), readers=3, positives=4, negatives=5)
    >>> study = model.draw(np.random.default_rng(1))
    >>> study.ratings.values.shape, round(model.mu[0], 6)
    ((3, 2, 9), 1.196761)
    """

    auc: tuple[float, float]
    variances: Variances
    readers: int = 6
    positives: int = 60
    negatives: int = 60

    def __post_init__(self) -> None:
        if not all(0 < value < 1 for value in self.auc):
            raise CannotAnalyse("A mean area lies between 0 and 1.")
        if min(self.readers, self.positives, self.negatives) < 1:
            raise CannotAnalyse("A simulated study has a reader, a diseased and a non-diseased case.")

    @property
    def spread(self) -> float:
        """Variance of a latent rating over readers and cases."""
        return 1 + self.variances.reader + self.variances.arm_reader

    @property
    def mu(self) -> tuple[float, float]:
        """Separation of diseased from non-diseased in each arm."""
        first, second = (float(stats.norm.ppf(value)) * math.sqrt(2 * self.spread) for value in self.auc)
        return first, second

    @property
    def threshold(self) -> float:
        """Half way between the classes on average, the same in both arms."""
        return sum(self.mu) / 4

    @property
    def sensitivity(self) -> tuple[float, float]:
        """Mean sensitivity of each arm over all readers."""
        first, second = (float(stats.norm.cdf((mu - self.threshold) / math.sqrt(self.spread))) for mu in self.mu)
        return first, second

    def draw(self, generator: np.random.Generator) -> Study:
        """One study."""
        truth = np.arange(self.positives + self.negatives) < self.positives
        # (class, reader, arm): what a reader adds to all cases of a class, in each arm.
        shift = self.reader_effects(generator)
        values = self.case_effects(truth, generator)
        mu = np.array(self.mu)
        values += np.where(truth, shift[1][:, :, None] + mu[None, :, None], shift[0][:, :, None])
        width = math.sqrt(2)
        return Study(
            named(truth, values),
            named(truth, (values > self.threshold).astype(float)),
            np.asarray(stats.norm.cdf((mu + shift[1] - shift[0]) / width)),
            np.asarray(stats.norm.cdf(mu + shift[1] - self.threshold)),
            np.asarray(stats.norm.cdf(self.threshold - shift[0])),
        )

    def draw_alike(self, generator: np.random.Generator, arms: int) -> Ratings:
        """Ratings of several arms, all of them as good on average as the first."""
        truth = np.arange(self.positives + self.negatives) < self.positives
        shift = self.reader_effects(generator, arms)
        values = self.case_effects(truth, generator, arms)
        values += np.where(truth, shift[1][:, :, None] + self.mu[0], shift[0][:, :, None])
        return named(truth, values, tuple(f"A{place + 1}" for place in range(arms)))

    def reader_effects(self, generator: np.random.Generator, arms: int = 2) -> Floats:
        parts = self.variances
        reader = generator.normal(0, math.sqrt(parts.reader), (2, self.readers, 1))
        return reader + generator.normal(0, math.sqrt(parts.arm_reader), (2, self.readers, arms))

    def case_effects(self, truth: Bools, generator: np.random.Generator, arms: int = 2) -> Floats:
        parts, n, r = self.variances, len(truth), self.readers
        values = generator.normal(0, math.sqrt(parts.case), (1, 1, n))
        values = values + generator.normal(0, math.sqrt(parts.arm_case), (1, arms, n))
        values = values + generator.normal(0, math.sqrt(parts.reader_case), (r, 1, n))
        return np.asarray(values + generator.normal(0, math.sqrt(parts.error), (r, arms, n)))


def named(truth: Bools, values: Floats, arms: tuple[str, ...] = ARMS) -> Ratings:
    readers, _, cases = values.shape
    return Ratings(
        tuple(f"R{place + 1}" for place in range(readers)),
        arms,
        tuple(str(place) for place in range(cases)),
        truth,
        values,
    )


@dataclass(frozen=True)
class Clusters:
    """How are two binary outcomes made where units nest in patients?

    Each patient has `units` units; both outcomes of all of them share a normal effect of the patient, and each arm
    has one of its own (variance `patient` and `arm_patient` of a total of one). The outcome is 1 with probability
    `share` in both arms, so that the arms do not differ; the arm's own effect makes the discordant units of a patient
    alike, which is what McNemar's test over units does not see.

    >>> Clusters(patients=3, units=2).draw(np.random.default_rng(1))[0].tolist()
    [0, 0, 1, 1, 2, 2]
    """

    patients: int = 60
    units: int = 6
    share: float = 0.8
    patient: float = 0.3
    arm_patient: float = 0.3

    def latent(self, generator: np.random.Generator) -> tuple[Labels, Floats]:
        """Patient of each unit (n,), and the standard normal values beneath both outcomes (2, n)."""
        shape = (2, self.patients, self.units)
        latent = generator.normal(0, math.sqrt(self.patient), (1, self.patients, 1))
        latent = latent + generator.normal(0, math.sqrt(self.arm_patient), (2, self.patients, 1))
        latent = latent + generator.normal(0, math.sqrt(1 - self.patient - self.arm_patient), shape)
        return np.repeat(np.arange(self.patients), self.units), latent.reshape(2, -1)

    def draw(self, generator: np.random.Generator) -> tuple[Labels, Floats]:
        """Patient of each unit (n,), and both outcomes (2, n)."""
        patients, latent = self.latent(generator)
        return patients, (latent < stats.norm.ppf(self.share)).astype(float)
