from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.chain import digest_of
from readerstudy.audit.errors import Refused
from readerstudy.cases.models import Case
from readerstudy.studies.models import Study

from .models import Annotation, Standard, StandardAnnotation, Truth
from .permissions import check_still_open
from .queries import current_standard


@transaction.atomic
def write_standard(
    *,
    study: Study,
    truths: Mapping[Case, bool],
    method: str,
    reason: str,
    by: User,
    annotations: Mapping[Case, Annotation] | None = None,
) -> Standard:
    """The next version, for whoever was allowed to ask for it."""
    Study.objects.select_for_update().get(pk=study.pk)
    check_still_open(study)
    if not truths:
        raise Refused(_("A reference standard needs the truth of at least one case."))
    if any(case.study_id != study.pk for case in truths):
        raise Refused(_("A case of another study cannot stand in this reference standard."))
    if not method.strip():
        raise Refused(_("Say how the truth was found."))
    last = current_standard(study)
    if last is not None and not reason.strip():
        raise Refused(_("Say why the reference standard changes."))
    values = {case.token: positive for case, positive in truths.items()}
    drawn = {case.token: annotation.digest for case, annotation in (annotations or {}).items()}
    standard = Standard.objects.create(
        study=study,
        number=last.number + 1 if last else 1,
        method=method.strip()[:200],
        reason=reason.strip(),
        digest=digest_of({"values": values, "marks": drawn} if drawn else values),
        made_by=by,
    )
    Truth.objects.bulk_create([Truth(standard=standard, case=case, positive=truths[case]) for case in truths])
    StandardAnnotation.objects.bulk_create(
        [
            StandardAnnotation(standard=standard, case=case, annotation=annotation)
            for case, annotation in (annotations or {}).items()
        ]
    )
    facts = {"number": standard.number, "digest": standard.digest, "method": standard.method, "values": values}
    facts |= {"marks": drawn} if drawn else {}
    record(actor=by, verb="reference.recorded", target=standard, facts=facts | {"reason": standard.reason}, study=study)
    return standard
