"""An algorithm comes in with its card and weights, byte for byte, once."""

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction

from readerstudy.audit.errors import Denied, Refused
from readerstudy.audit.models import Event
from readerstudy.predictions import actions
from readerstudy.predictions.actions import register_algorithm
from readerstudy.predictions.models import Algorithm
from readerstudy.predictions.queries import storage
from tests.models import trained_model
from tests.readerstudy.predictions.workshop import registered
from tests.world import People, client_of, close_audit

# pickle.dumps([]), written out: the module itself is banned.
PICKLE = b"\x80\x04]\x94."


def files() -> tuple[bytes, bytes]:
    model = trained_model()
    return (model / "card.json").read_bytes(), (model / "weights.safetensors").read_bytes()


def upload(card: bytes, weights: bytes) -> dict[str, SimpleUploadedFile]:
    return {"card": SimpleUploadedFile("c.json", card), "weights": SimpleUploadedFile("w.safetensors", weights)}


def test_card_and_weights_are_kept_as_they_came(people: People) -> None:
    algorithm = registered(people.dev)
    card, weights = files()
    assert storage().open(f"{algorithm.folder_key}/card.json").read() == card
    assert storage().open(f"{algorithm.folder_key}/weights.safetensors").read() == weights
    assert algorithm.digest == json.loads(card)["digest"]
    event = Event.objects.get(verb="algorithm.registered")
    assert (event.actor, event.facts["digest"]) == ("dev", algorithm.digest)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda card, weights: (b"not JSON", weights), "The card cannot be read"),
        (lambda card, weights: (b"[1, 2]", weights), "The card cannot be read"),
        (lambda card, weights: (b'{"digest": "x"}', weights), "The card cannot be read"),
        (lambda card, weights: (b"\xff\xfe", weights), "The card cannot be read"),
        (lambda card, weights: (card.replace(b"disc", b"desc"), weights), "changed after it was written"),
        (lambda card, weights: (card, weights[:-1] + bytes([weights[-1] ^ 1])), "not the ones of this card"),
        (lambda card, weights: (card, PICKLE), "not the ones of this card"),
        (lambda card, weights: (card, b""), "not the ones of this card"),
    ],
)
def test_whatever_does_not_fit_is_refused_with_a_sentence(people: People, damage: object, sentence: str) -> None:
    card, weights = damage(*files())  # type: ignore[operator]
    with pytest.raises(Refused, match=sentence):
        register_algorithm(card=io.BytesIO(card), weights=io.BytesIO(weights), by=people.dev)
    answer = client_of(people.dev).post("/algorithms/", upload(card, weights or b"0"))
    assert (answer.status_code, sentence in answer.text) == (400, True)
    assert not Algorithm.objects.exists()


def test_files_beyond_their_size_are_refused(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    card, weights = files()
    monkeypatch.setattr(actions, "LARGEST_CARD", len(card))
    monkeypatch.setattr(actions, "LARGEST_WEIGHTS", len(weights) - 1)
    with pytest.raises(Refused, match="The weights file is larger than"):
        registered(people.dev)
    monkeypatch.setattr(actions, "LARGEST_WEIGHTS", len(weights))
    assert registered(people.dev).pk


def test_the_same_model_is_registered_once(people: People) -> None:
    first = registered(people.dev)
    with pytest.raises(Refused, match=f"registered already, as {first}"):
        registered(people.alice)
    assert client_of(people.dev).post("/algorithms/", upload(*files())).status_code == 400
    assert Algorithm.objects.get() == first


def test_who_may_register(people: People) -> None:
    with pytest.raises(Denied, match="Only model developers and coordinators"):
        registered(people.bob)
    client = client_of(people.bob)
    assert client.get("/algorithms/").status_code == 404
    assert client.post("/algorithms/", upload(*files())).status_code == 404
    assert not Algorithm.objects.exists()


def test_the_pages_show_the_card(people: People) -> None:
    client = client_of(people.dev)
    assert "No algorithm is registered yet" in client.get("/algorithms/").text
    assert client.post("/algorithms/", {"card": ""}).status_code == 400
    answer = client.post("/algorithms/", upload(*files()))
    algorithm = Algorithm.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/algorithms/{algorithm.token}/")
    page = client.get(f"/algorithms/{algorithm.token}/").text
    assert algorithm.digest in page
    for words in ("What it answers", "negative no disc; positive disc", "Chosen by", "youden", "Intended use", "AUC"):
        assert words in page
    assert "Licence" in page
    assert client.get("/algorithms/nothing/").status_code == 404


def test_an_algorithm_never_changes(people: People) -> None:
    algorithm = registered(people.dev)
    for change in (
        lambda: Algorithm.objects.update(name="Better"),
        lambda: Algorithm.objects.filter(pk=algorithm.pk)._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
            change()


def test_no_algorithm_without_its_event(people: People) -> None:
    dev = people.dev
    close_audit()
    with pytest.raises(DatabaseError, match="audit_is_closed"), transaction.atomic():
        registered(dev)
    assert not Algorithm.objects.exists()
