"""Protocol and analysis plan as documents: what is frozen, whether it is complete, how two versions differ.

Plain data in, plain data out. Numbers that are whole become integers, so that the database's JSON, this
process and anybody's script agree on the canonical text and with it on the SHA-256.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from readerstudy.audit.chain import canonical, digest_of

Document = Mapping[str, Any]
PROTOCOL_FORMAT = "readerstudy protocol 1"
PLAN_FORMAT = "readerstudy analysis plan 1"
POOLING = {"mrmc": "obuchowski-rockette", "model": "model against each reader"}
PER_READER = {
    "auc": "delong per reader",
    "sensitivity": "mcnemar per reader",
    "specificity": "mcnemar per reader",
}


@dataclass(frozen=True)
class Difference:
    where: str
    old: str
    new: str


def plain(value: Any) -> Any:
    """The same document with whole numbers as integers."""
    match value:
        case Mapping():
            return {str(key): plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case float() if value.is_integer():
            return int(value)
    return value


def text_of(document: Document) -> str:
    """The canonical text: exactly the bytes that the digest covers."""
    return canonical(plain(document)).decode()


def digest(document: Document) -> str:
    return digest_of(plain(document))


def protocol_document(
    study: Document,
    arms: Sequence[Document],
    periods: Sequence[Document],
    questions: Sequence[Document],
    rules: Document | None = None,
) -> dict[str, Any]:
    document: dict[str, Any] = plain(
        {
            "format": PROTOCOL_FORMAT,
            "title": study["title"],
            "question": study["question"],
            "instructions": study["instructions"],
            "arms": arms,
            "periods": periods,
            "questions": questions,
            "rules": rules or {},
        }
    )
    return document


def plan_document(protocol: Document, endpoints: Sequence[Document]) -> dict[str, Any]:
    """What will be computed. `analysis` is in the words of the package that computes it."""
    document: dict[str, Any] = plain(
        {
            "format": PLAN_FORMAT,
            "decision": key_of(protocol, "decision"),
            "confidence": key_of(protocol, "confidence"),
            "endpoints": endpoints,
            "analysis": {
                "arms": [arm["code"] for arm in protocol["arms"]],
                "primary": next((analysis_of(row) for row in endpoints if row["rank"] == "primary"), None),
                "secondary": [analysis_of(row) for row in endpoints if row["rank"] != "primary"],
                "covariance": "delong",
                "readers": "random",
                "cases": "random",
                "auc_interval": "delong",
                "proportion_interval": "wilson",
                "mcnemar": "exact",
                "difference_interval": "newcombe",
                "multiplicity": "holm",
                "level": 0.95,
            },
        }
    )
    return document


def analysis_of(endpoint: Document) -> dict[str, str]:
    metric = endpoint["metric"]
    return {"analysis": POOLING.get(endpoint["method"]) or PER_READER[metric], "figure": metric}


def key_of(protocol: Document, kind: str) -> str | None:
    return next((question["key"] for question in protocol["questions"] if question["kind"] == kind), None)


def gaps(protocol: Document, plan: Document) -> list[str]:
    """What is missing before the protocol can be frozen, as sentences."""
    return [*gaps_of_design(protocol), *gaps_of_questions(protocol), *gaps_of_endpoints(protocol, plan)]


def gaps_of_design(protocol: Document) -> Iterator[str]:
    if not protocol["question"].strip():
        yield _("State the clinical question.")
    if not protocol["arms"]:
        yield _("Add at least one arm in which readers read.")
    if not protocol["periods"]:
        yield _("Add at least one period.")
    aided = [arm["label"] for arm in protocol["arms"] if arm["assistance"] != "none"]
    if aided and len(aided) == len(protocol["arms"]):
        yield _("The arm “%(arm)s” is aided; add an unaided arm to compare it with.") % {"arm": aided[0]}
    if protocol["arms"] and protocol["arms"][0]["assistance"] != "none" and len(aided) < len(protocol["arms"]):
        yield _("Put an unaided arm first: differences are later arm minus first arm.")


def gaps_of_questions(protocol: Document) -> Iterator[str]:
    if not key_of(protocol, "decision") and not key_of(protocol, "confidence"):
        yield _("Add a decision or a confidence question; without one there is nothing to analyse.")
    for question in protocol["questions"]:
        if question["kind"] in ("choice", "choices", "grid", "level") and len(question["choices"]) < 2:
            yield _("The question “%(question)s” needs at least two choices.") % {"question": question["text"]}
        if question["kind"] == "grid" and not question.get("items"):
            yield _("The grid “%(question)s” needs at least one row.") % {"question": question["text"]}


def gaps_of_endpoints(protocol: Document, plan: Document) -> Iterator[str]:
    primary = [endpoint for endpoint in plan["endpoints"] if endpoint["rank"] == "primary"]
    if len(primary) != 1:
        yield _("Name exactly one primary endpoint; there are %(number)s.") % {"number": len(primary)}
    metrics = {endpoint["metric"] for endpoint in plan["endpoints"]}
    if "auc" in metrics and not plan["confidence"]:
        yield _("The area under the ROC curve needs a confidence question.")
    if metrics & {"sensitivity", "specificity"} and not plan["decision"]:
        yield _("Sensitivity and specificity need a decision question.")


def differences(old: Document, new: Document) -> list[Difference]:
    """Every value that is not the same, with its place in words."""
    return list(walk("", plain(old), plain(new)))


def walk(where: str, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            name = key.replace("_", " ")
            yield from walk(f"{where} › {name}" if where else name, old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before, after = old[index : index + 1], new[index : index + 1]
            yield from walk(f"{where} {index + 1}", before[0] if before else None, after[0] if after else None)
    elif old != new or type(old) is not type(new):
        yield Difference(where, shown(old), shown(new))


def shown(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else canonical(value).decode()
