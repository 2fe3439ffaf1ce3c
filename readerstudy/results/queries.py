from collections.abc import Iterator
from typing import Any

from django.http import Http404

from readerstudy.datasets.tidy import sheet
from readerstudy.reading.models import Answer, ExternalSource, WashoutOverride
from readerstudy.studies.models import Enrolment, ProtocolVersion, Study

from .models import AnalysisRun

FORMAT = "readerstudy results 1"


def latest_run(study: Study) -> AnalysisRun | None:
    return (
        AnalysisRun.objects.filter(dataset__study=study)
        .select_related("dataset__protocol", "dataset__standard", "started_by")
        .order_by("-number")
        .first()
    )


def finished_run(study: Study) -> AnalysisRun:
    run = (
        AnalysisRun.objects.filter(dataset__study=study, phase=AnalysisRun.Phase.DONE)
        .select_related("dataset__protocol", "dataset__standard", "started_by")
        .order_by("-number")
        .first()
    )
    if run is None:
        raise Http404
    return run


def results_of(run: AnalysisRun) -> dict[str, Any]:
    assert run.results is not None
    results: dict[str, Any] = run.results["results"]
    return results


def document_of(run: AnalysisRun) -> dict[str, Any]:
    """results.json: the results in full precision, and what they rest on."""
    dataset = run.dataset
    return {
        "format": FORMAT,
        "study": dataset.study.title,
        "run": run.number,
        "dataset": {"digest": dataset.digest, "rows": dataset.rows, "missing": dataset.missing},
        "protocol": {"number": dataset.protocol.number, "digest": dataset.protocol.protocol_digest},
        "plan": {"digest": run.plan_digest, "document": run.plan},
        "standard": {"number": dataset.standard.number, "digest": dataset.standard.digest},
        "seed": run.seed,
        "versions": run.versions,
        "digest": run.results_digest,
        "deviations": list(deviations_of(run)),
        "noninferiority": list(margins_of(run)),
        "results": results_of(run),
    }


def margins_of(run: AnalysisRun) -> Iterator[dict[str, Any]]:
    """Endpoints that were planned with a margin: not inferior where the interval lies above minus the margin."""
    results = results_of(run)
    for endpoint in run.plan["endpoints"]:
        if endpoint["margin"] is None:
            continue
        about = {"figure": endpoint["metric"], "margin": endpoint["margin"]}
        found = results["study"][endpoint["metric"]]
        if endpoint["method"] != "mrmc":
            yield about | {"refused": "The plan tests each reader alone; hold each interval against the margin."}
        elif "refused" in found:
            yield about | {"refused": found["refused"]}
        else:
            for row in found["differences"]:
                if row["reader"] is None:
                    named = {name: row[name] for name in ("first", "second", "low")}
                    yield about | named | {"shown": row["low"] > -endpoint["margin"]}


def deviations_of(run: AnalysisRun) -> Iterator[str]:
    """What a reader of the results must know of how the data came about, as sentences."""
    study, protocol = run.dataset.study, run.dataset.protocol
    for version in ProtocolVersion.objects.filter(study=study, number__range=(2, protocol.number)).order_by("number"):
        yield f"Protocol amended on {version.frozen_at:%Y-%m-%d} (version {version.number}): {version.reason}"
    withdrawn = Enrolment.objects.filter(study=study, role=Enrolment.Role.READER, active=False, slots__isnull=False)
    for code in withdrawn.order_by("code").values_list("code", flat=True).distinct():
        yield f"{code} was withdrawn; what {code} read stays in the data."
    overrides = WashoutOverride.objects.filter(slot__reader__study=study, agreed_by__isnull=False).count()
    if overrides:
        yield f"Readings with a washout cut short: {overrides}, each with a reason and a second person's consent."
    corrections = Answer.objects.filter(reading__slot__reader__study=study, number__gt=1).count()
    if corrections:
        yield f"Corrected answers: {corrections}, each with a reason; the audit chain holds the earlier ones."
    for source in ExternalSource.objects.filter(study=study).order_by("imported_at"):
        whom = " by simulated readers" if source.simulated else ""
        yield f"{source.rows} readings of {source.name} were given elsewhere{whom} and imported."
    simulated = Enrolment.objects.filter(study=study, simulated=True, external=False).order_by("code")
    if simulated.exists():
        yield f"Simulated readers: {', '.join(simulated.values_list('code', flat=True))}."


def figure_of(run: AnalysisRun, name: str) -> dict[str, Any]:
    assert run.results is not None
    figures: dict[str, dict[str, Any]] = run.results["figures"]
    if name not in figures:
        raise Http404
    return figures[name]


def figures_in(run: AnalysisRun) -> list[tuple[str, str]]:
    """Name and title: the model's plane first, then the curves of each arm, then the differences."""
    assert run.results is not None
    figures = run.results["figures"]
    order = sorted(figures, key=lambda name: (("model", "roc", "forest").index(name.split("-")[0]), name))
    return [(name, figures[name]["layout"]["title"]["text"]) for name in order]


Line = tuple[str, str, str, str, dict[str, Any]]


def estimates(results: dict[str, Any]) -> list[Line]:
    """Every number with its interval, flat: (what, arm or difference, reader, figure of merit, row)."""
    return [*mean_estimates(results), *reader_estimates(results), *model_estimates(results)]


def mean_estimates(results: dict[str, Any]) -> Iterator[Line]:
    for group in (results["study"], *results["seniority"]):
        for figure in ("auc", "sensitivity", "specificity"):
            found = group[figure]
            if "refused" in found:
                continue
            for arm in found["arms"]:
                yield "Obuchowski–Rockette mean", arm["arm"], group["name"], figure, arm
            for row in found["differences"]:
                who = row["reader"] or group["name"]
                yield "Obuchowski–Rockette difference", f"{row['second']} − {row['first']}", who, figure, row


def reader_estimates(results: dict[str, Any]) -> Iterator[Line]:
    for reader in results["readers"]:
        name = reader["reader"]
        for cell in reader["arms"]:
            for figure in ("sensitivity", "specificity"):
                if "refused" not in cell["decisions"][figure]:
                    yield "Reader", cell["arm"], name, figure, cell["decisions"][figure]
            if "refused" not in cell["discrimination"]["auc"]:
                yield "Reader", cell["arm"], name, "auc", cell["discrimination"]["auc"]
        for pair in reader["comparisons"]:
            what = f"{pair['second']} − {pair['first']}"
            if "refused" not in pair["delong"]:
                yield "DeLong", what, name, "auc", pair["delong"]
            for figure, compared in pair["mcnemar"].items():
                if "refused" not in compared:
                    yield "McNemar", what, name, figure, compared["test"]


def model_estimates(results: dict[str, Any]) -> Iterator[Line]:
    model = results["model"]
    if "refused" in model:
        return
    for figure in ("sensitivity", "specificity"):
        if "refused" not in model["decisions"][figure]:
            yield "Model alone", "", "", figure, model["decisions"][figure]
    if "refused" not in model["discrimination"]["auc"]:
        yield "Model alone", "", "", "auc", model["discrimination"]["auc"]
    for pair in model["against_readers"]:
        what = f"model − {pair['arm']}"
        if "refused" not in pair["delong"]:
            yield "DeLong", what, pair["reader"], "auc", pair["delong"]
        for figure, compared in pair["mcnemar"].items():
            if "refused" not in compared:
                yield "McNemar", what, pair["reader"], figure, compared["test"]


COLUMNS = ("estimate", "se", "df", "statistic", "p", "p_adjusted", "low", "high", "n")


def estimates_csv(results: dict[str, Any]) -> bytes:
    rows = ([*words, *(row.get(name) for name in COLUMNS)] for *words, row in estimates(results))
    return sheet(["method", "arm", "reader", "figure", *COLUMNS], rows)
