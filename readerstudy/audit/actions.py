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


# Without a savepoint: what happened and its event stand or fall together, so there is nothing to go back to.
@transaction.atomic(savepoint=False)
def record_all(
    *, actor: AbstractBaseUser | None, happened: Sequence[Happening], study: HasToken | None = None
) -> list[Event]:
    """The same for what happened in one transaction, in its order; the chain is locked once."""
    name = study.token if study is not None else CHAIN_OF_THE_SITE
    chain = held(name) or begun(name)
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


def held(name: str) -> Chain | None:
    """The chain, locked until the transaction ends."""
    return Chain.objects.select_for_update().filter(name=name).first()


def begun(name: str) -> Chain:
    """A chain without events; of two that begin it at once the second waits for the first and goes on from there."""
    seal = arithmetic.seal(sealing_key(), name, 0, arithmetic.GENESIS)
    Chain.objects.bulk_create([Chain(name=name, head=arithmetic.GENESIS, seal=seal)], ignore_conflicts=True)
    return Chain.objects.select_for_update().get(name=name)
