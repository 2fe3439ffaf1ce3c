"""All questions of coverage and error by family, asked on one core or on several with the same answers."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context

from analysis.coverage import Frequency, Question, Worlds, frequency
from analysis.coverage_agreement import agreement_questions
from analysis.coverage_chance import chance_questions
from analysis.coverage_clusters import cluster_questions
from analysis.coverage_features import feature_questions
from analysis.coverage_further import study_questions
from analysis.coverage_many import (
    obuchowski_rockette_questions,
    pooled_questions,
    u_statistics_questions,
)
from analysis.coverage_marks import Search, mark_questions
from analysis.coverage_paired import paired_questions
from analysis.coverage_power import planning_questions
from analysis.coverage_probabilities import probability_questions
from analysis.coverage_reading import reading_questions
from analysis.coverage_single import single_reader_questions
from analysis.errors import CannotAnalyse
from analysis.interval import Refusal
from analysis.simulation import Clusters

Family = Callable[[Worlds], Iterator[Question]]
FAMILIES: dict[str, Family] = {
    "single": single_reader_questions,
    "chance": chance_questions,
    "paired": paired_questions,
    "clusters": lambda worlds: cluster_questions(Clusters()),
    "mrmc": obuchowski_rockette_questions,
    "u-statistics": u_statistics_questions,
    "further": study_questions,
    "reading": lambda worlds: reading_questions(),
    "agreement": lambda worlds: agreement_questions(),
    "probabilities": lambda worlds: probability_questions(),
    "features": lambda worlds: feature_questions(),
    "marks": lambda worlds: mark_questions(Search()),
    "planning": planning_questions,
    "pooled": pooled_questions,
}


@dataclass(frozen=True)
class Setting:
    """What is simulated: sizes and structure of the worlds, one family or all, number of studies and seed."""

    studies: int
    seed: int
    structure: str = "HL"
    readers: int = 6
    positives: int = 60
    negatives: int = 60
    only: str | None = None


@cache
def questions(setting: Setting) -> tuple[Question, ...]:
    """All questions, or those of one family, in the order of the table."""
    if setting.only is not None and setting.only not in FAMILIES:
        raise CannotAnalyse(f"The families of questions are {', '.join(FAMILIES)}, not {setting.only}.")
    worlds = Worlds.of(setting.structure, setting.readers, setting.positives, setting.negatives)
    names = FAMILIES if setting.only is None else (setting.only,)
    return tuple(question for name in names for question in FAMILIES[name](worlds))


def answered(setting: Setting, place: int) -> Frequency | Refusal:
    """The answer to one question; every question has the same studies, whoever asks and in whichever order."""
    try:
        return frequency(questions(setting)[place], setting.studies, setting.seed)
    except CannotAnalyse as refusal:
        return Refusal(str(refusal))


def frequencies(setting: Setting, workers: int = 1) -> tuple[Frequency | Refusal, ...]:
    """How often is the answer yes, for every question?

    workers: processes; the answers do not depend on their number, as every study has a generator of its own.

    A question whose method refuses nearly all studies (three readers in two groups, say) is answered with its sentence.

    >>> [found.method for found in frequencies(Setting(2, 1, only="pooled")) if isinstance(found, Frequency)]
    ['DeLong pooled over readers', "DeLong on the readers' averages", 'McNemar pooled over readers']
    """
    count = len(questions(setting))
    if workers < 1:
        raise CannotAnalyse("A simulation needs at least one worker.")
    if workers == 1:
        return tuple(answered(setting, place) for place in range(count))
    # Fresh processes, as a fork would share the state of numerical libraries.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return tuple(pool.map(answered, [setting] * count, range(count)))


def table_line(found: Frequency) -> str:
    """One row of the README's table, in percent."""
    shares = (100 * value for value in (found.nominal, found.estimate, found.error))
    promised, share, error = shares
    return f"| {found.method} | {found.kind} | {promised:.4g} | {share:.2f} | {error:.2f} | {found.remark} |"


HEAD = "| method | kind | promised % | found % | Monte-Carlo error | remark |\n|---|---|---|---|---|---|"
