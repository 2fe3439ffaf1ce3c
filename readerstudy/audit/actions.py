from typing import Any, Protocol

from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone

from . import chain as arithmetic
from .models import CHAIN_OF_THE_SITE, Chain, Event
from .queries import sealing_key

SYSTEM = "system"


class HasToken(Protocol):
    token: Any


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
    name = study.token if study is not None else CHAIN_OF_THE_SITE
    Chain.objects.bulk_create(
        [Chain(name=name, head=arithmetic.GENESIS, seal=arithmetic.seal(sealing_key(), name, 0, arithmetic.GENESIS))],
        ignore_conflicts=True,
    )
    chain = Chain.objects.select_for_update().get(name=name)
    event = Event(
        chain=chain,
        number=chain.length + 1,
        at=timezone.now(),
        actor=actor.get_username() if actor is not None else SYSTEM,
        verb=verb,
        target=name_of(target),
        facts=facts or {},
        previous=chain.head,
    )
    event.digest = arithmetic.event_digest(event.previous, event.content())
    event.save(force_insert=True)
    Chain.objects.filter(name=name).update(
        length=event.number,
        head=event.digest,
        seal=arithmetic.seal(sealing_key(), name, event.number, event.digest),
    )
    return event
