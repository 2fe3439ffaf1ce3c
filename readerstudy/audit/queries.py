from collections.abc import Iterator

from django.conf import settings
from django.db.models import QuerySet

from . import chain as arithmetic
from .chain import Fault
from .models import Chain, Event


def sealing_key() -> bytes:
    return b"audit chain " + settings.SECRET_KEY.encode()


def events_of(chain: str) -> QuerySet[Event]:
    return Event.objects.filter(chain_id=chain).order_by("-number")


def head_of(chain: str) -> str:
    return Chain.objects.values_list("head", flat=True).filter(name=chain).first() or arithmetic.GENESIS


def faults_of(chain: Chain) -> Iterator[Fault]:
    events = Event.objects.filter(chain=chain).order_by("number").iterator(chunk_size=2000)
    last_number, last_digest = 0, arithmetic.GENESIS

    def rows() -> Iterator[tuple[int, str, str, dict[str, object]]]:
        nonlocal last_number, last_digest
        for event in events:
            last_number, last_digest = event.number, event.digest
            yield event.number, event.previous, event.digest, event.content()

    yield from arithmetic.faults(chain.name, rows())
    if (last_number, last_digest) != (chain.length, chain.head):
        yield Fault(chain.name, chain.length, "the chain does not end where its seal says")
    if chain.seal != arithmetic.seal(sealing_key(), chain.name, chain.length, chain.head):
        yield Fault(chain.name, chain.length, "the seal of the chain does not fit its head")


def all_faults(names: list[str] | None = None) -> Iterator[Fault]:
    chains = Chain.objects.order_by("name")
    for chain in chains.filter(name__in=names) if names else chains:
        yield from faults_of(chain)
    for orphan in Event.objects.exclude(chain__in=Chain.objects.all()).values_list("chain_id", flat=True).distinct():
        yield Fault(orphan, 0, "events stand without their chain")
