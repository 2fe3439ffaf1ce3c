import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.http import Http404

from readerstudy.studies.models import Study

from .manifest import CaseRows, Fault, Manifest, Row, by_case
from .models import Case, CaseImport, Image

WITHHELD = "(not stored)"
Phase = CaseImport.Phase


@dataclass(frozen=True)
class Covariate:
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class ImportSummary:
    cases: int
    patients: int
    series: int
    with_truth: int
    covariates: tuple[str, ...]


def cases_of(study: Study) -> QuerySet[Case]:
    return Case.objects.filter(study=study).order_by("label")


def case_for(study: Study, token: str) -> Case:
    case = cases_of(study).filter(token=token).first()
    if case is None:
        raise Http404
    return case


def cases_for_page(study: Study, covariate: str = "", value: str = "") -> QuerySet[Case]:
    cases = cases_of(study)
    if covariate == "site" and value:
        cases = cases.filter(site=value)
    elif covariate and value:
        cases = cases.filter(covariates__contains={covariate: value})
    shown = Image.objects.exclude(thumbnail_key="")
    return cases.prefetch_related("series", Prefetch("series__images", queryset=shown, to_attr="with_thumbnail"))


def covariates_of(study: Study) -> list[Covariate]:
    """Every covariate with its values, for the filter of the page; those with very many values are left out."""
    found: dict[str, Counter[str]] = {}
    for site, covariates in cases_of(study).values_list("site", "covariates"):
        for name, value in [("site", site), *covariates.items()]:
            if value:
                found.setdefault(name, Counter())[value] += 1
    return [Covariate(name, tuple(sorted(values))) for name, values in found.items() if len(values) <= 50]


def image_for(study: Study, series: str, position: int) -> Image:
    image = Image.objects.filter(series__token=series, series__case__study=study, position=position).first()
    if image is None:
        raise Http404
    return image


def imports_of(study: Study) -> QuerySet[CaseImport]:
    return CaseImport.objects.filter(study=study).select_related("started_by")


def import_for(study: Study, token: str) -> CaseImport:
    found = imports_of(study).filter(token=token).first()
    if found is None:
        raise Http404
    return found


def running_import(study: Study) -> CaseImport | None:
    return imports_of(study).filter(phase__in=(Phase.CHECKING, Phase.RUNNING)).first()


def patient_hash(study: Study, patient: str) -> str:
    """Keyed, and another in every study: it groups a study's cases by patient and tells nothing else."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"patients of a study", hashlib.sha256)
    return hmac.new(key, f"{study.token}\0{patient}".encode(), hashlib.sha256).hexdigest()


def stored_rows(study: Study, manifest: Manifest) -> list[dict[str, Any]]:
    """The rows as the database keeps them while the import lasts: the patient only as a keyed hash."""
    return [
        {
            "number": row.number,
            "case": row.case,
            "patient": patient_hash(study, row.patient),
            "file": row.file,
            "series": row.series,
            "truth": row.truth,
            "site": row.site,
            "cleared": row.cleared,
            "covariates": row.covariates,
        }
        for row in manifest.rows
    ]


def stored_faults(faults: list[Fault]) -> list[dict[str, Any]]:
    return [
        {
            "row": fault.row,
            "column": fault.column,
            "value": WITHHELD if fault.column == "patient" and fault.value else fault.value,
            "sentence": fault.sentence,
        }
        for fault in faults
    ]


def manifest_of(of: CaseImport) -> Manifest:
    rows = tuple(Row(**row) for row in of.manifest)
    return Manifest(rows, (), tuple(sorted({name for row in rows for name in row.covariates})))


def cases_in(of: CaseImport) -> tuple[CaseRows, ...]:
    return by_case(manifest_of(of).rows)


def summary_of(of: CaseImport) -> ImportSummary:
    manifest = manifest_of(of)
    return ImportSummary(
        cases=len(manifest.cases),
        patients=len({row.patient for row in manifest.rows}),
        series=sum(len(case.series) for case in manifest.cases),
        with_truth=sum(case.truth is not None for case in manifest.cases),
        covariates=manifest.covariates,
    )
