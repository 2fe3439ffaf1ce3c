from typing import Any

from django.db import models

from .tokens import TOKEN_LENGTH

CHAIN_OF_THE_SITE = "site"


class Chain(models.Model):
    """One chain of events: a study's, or the site's. Its row is the lock that orders the events."""

    name = models.CharField(max_length=TOKEN_LENGTH, primary_key=True)
    length = models.PositiveBigIntegerField(default=0)
    head = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.name} ({self.length} events)"


class Event(models.Model):
    """What happened: who, when, what, to which thing, with which facts. Never changed, never removed."""

    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    verb = models.CharField(max_length=80)
    target = models.CharField(max_length=120)
    facts = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["chain", "number"]
        constraints = [
            models.UniqueConstraint(fields=["chain", "number"], name="event_number_once"),
            models.UniqueConstraint(fields=["chain", "previous"], name="event_follows_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.actor} {self.verb} {self.target}"

    def content(self) -> dict[str, Any]:
        """What the digest covers, in the form in which it is exported."""
        return {
            "chain": self.chain_id,
            "number": self.number,
            "at": self.at.isoformat(timespec="microseconds"),
            "actor": self.actor,
            "verb": self.verb,
            "target": self.target,
            "facts": self.facts,
        }
