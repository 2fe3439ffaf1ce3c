"""The arithmetic of the hash chain, without a database, so that anybody can check an exported chain."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64


@dataclass(frozen=True)
class Fault:
    chain: str
    number: int
    sentence: str


def canonical(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_of(document: object) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()


def event_digest(previous: str, event: Mapping[str, Any]) -> str:
    return hashlib.sha256(previous.encode() + canonical(dict(event))).hexdigest()


def seal(key: bytes, chain: str, length: int, head: str) -> str:
    """Keyed, so that who can write the tables but lacks the key cannot shorten or rebuild a chain."""
    return hmac.new(key, canonical([chain, length, head]), hashlib.sha256).hexdigest()


def faults(chain: str, rows: Iterable[tuple[int, str, str, Mapping[str, Any]]]) -> Iterator[Fault]:
    """Walk (number, previous, digest, event) in order and name every break."""
    expected_number, expected_previous = 1, GENESIS
    for number, previous, digest, event in rows:
        if number != expected_number:
            yield Fault(chain, expected_number, f"event {expected_number} is missing; {number} follows")
        if previous != expected_previous:
            yield Fault(chain, number, f"event {number} does not follow the event before it")
        if event_digest(previous, event) != digest:
            yield Fault(chain, number, f"event {number} was changed after it was written")
        expected_number, expected_previous = number + 1, digest
