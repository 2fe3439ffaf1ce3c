"""What an imported file of answers is held against, and where the file itself is kept."""

import hashlib

from django.core.files.storage import storages

from readerstudy.allocation.models import Slot
from readerstudy.cases.delivery import keep_at
from readerstudy.reference.queries import truth_by_case
from readerstudy.studies.models import Enrolment, Study

from .external import Judged, Known, Source, judge
from .queries import questions_of

LARGEST_FILE = 50 << 20


def known_for(study: Study, *, new_cases: bool) -> Known:
    arms = {name.lower(): arm.code for arm in study.arms.all() for name in (arm.label, arm.code)}
    enrolments = Enrolment.objects.filter(study=study).exclude(code="")
    labels = dict(study.cases.values_list("pk", "label"))
    slots = Slot.objects.filter(reader__study=study, external=True)
    return Known(
        questions=questions_of(study),
        arms=arms,
        cases=set(labels.values()),
        taken_codes=set(enrolments.filter(external=False).values_list("code", flat=True)),
        external=dict(enrolments.filter(external=True).values_list("code", "seniority")),
        read=set(slots.values_list("reader__code", "arm__code", "case__label")),
        truths={labels[case]: positive for case, positive in truth_by_case(study).items()},
        new_cases=new_cases,
    )


def judged(study: Study, content: bytes, source: Source, *, new_cases: bool) -> Judged:
    return judge(content, source, known_for(study, new_cases=new_cases))


def key_of(digest: str) -> str:
    return f"answers/{digest[:2]}/{digest}.csv"


def keep(content: bytes) -> str:
    """Store an uploaded file under its digest, so that what was checked is what is imported."""
    digest = hashlib.sha256(content).hexdigest()
    keep_at(key_of(digest), content)
    return digest


def kept(digest: str) -> bytes:
    with storages["default"].open(key_of(digest)) as stream:
        content: bytes = stream.read()
    return content
