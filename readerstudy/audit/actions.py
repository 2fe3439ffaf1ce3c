from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone

from . import chain as arithmetic
from .models import CHAIN_OF_THE_SITE, Chain, Event
from .queries import sealing_key

SYSTEM = "system"


class HasToken(Protocol):
    token: Any


class Happening(NamedTuple):
    verb: str
    target: models.Model
    facts: dict[str, Any]


def name_of(target: models.Model) -> str:
    identity = getattr(target, "token", None) or target.pk
    return f"{target._meta.label}:{identity}"


@transaction.atomic
def record(
    *,
    actor: AbstractBaseUser | None,
    verb: str,
    target: models.Model,
    facts: dict[str, Any] | None = None,
    study: HasToken | None = None,
) -> Event:
    """Append an event to the study's chain (the site's where there is no study), in the caller's transaction."""
    (event,) = record_all(actor=actor, happened=[Happening(verb, target, facts or {})], study=study)
    return event


@transaction.atomic
def record_all(
    *, actor: AbstractBaseUser | None, happened: Sequence[Happening], study: HasToken | None = None
) -> list[Event]:
    """The same for what happened in one transaction, in its order; the chain is locked once."""
    name = study.token if study is not None else CHAIN_OF_THE_SITE
    Chain.objects.bulk_create(
        [Chain(name=name, head=arithmetic.GENESIS, seal=arithmetic.seal(sealing_key(), name, 0, arithmetic.GENESIS))],
        ignore_conflicts=True,
    )
    chain = Chain.objects.select_for_update().get(name=name)
    length, head = chain.length, chain.head
    events = []
    for one in happened:
        event = Event(
            chain=chain,
            number=length + 1,
            at=timezone.now(),
            actor=actor.get_username() if actor is not None else SYSTEM,
            verb=one.verb,
            target=name_of(one.target),
            facts=one.facts,
            previous=head,
        )
        event.digest = arithmetic.event_digest(event.previous, event.content())
        length, head = event.number, event.digest
        events.append(event)
    Event.objects.bulk_create(events)
    Chain.objects.filter(name=name).update(
        length=length, head=head, seal=arithmetic.seal(sealing_key(), name, length, head)
    )
    return events
