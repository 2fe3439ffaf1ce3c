"""What an unaided reader must not learn, looked for in every byte that reaches them."""

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.test import Client
from django.urls import get_resolver

from readerstudy.allocation.models import Slot
from readerstudy.predictions.findings import Findings, StoredPlane, Vertebra
from readerstudy.reading.models import Reading
from readerstudy.reading.queries import assistance_of, overlay_bytes, series_in_sight, what_reader_sees
from readerstudy.studies.outline import CROSSOVER, ArmOutline, Outline
from tests.readerstudy.reading.room import (
    ALL_SHOWN,
    Hidden,
    Room,
    add_series,
    body,
    open_room,
    post,
    prepared_room,
    put,
    read_slot,
    start,
)
from tests.world import People, client_of

ALLOWED_HEADERS = {
    "Content-Type",
    "Content-Length",
    "Cache-Control",
    "Vary",
    "Location",
    "Allow",
    "Content-Language",
    "Content-Security-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
    "Expires",
}
MARKED = Hidden(
    truth=(True, False, True, False),
    scores=(0.8137259, 0.1937261, 0.6937263, 0.3337267),
    labels=("labelQZmark1", "labelQZmark2", "labelQZmark3", "labelQZmark4"),
    site="siteQZmark",
    heatmap=b"\x89PNG heatQZmark",
    mask=b"\x89PNG maskQZmark",
    level="LQZmark",
    corner=6.7128,
    box="boxQZmark",
    algorithm="modelQZmark",
    version="99.7.5",
)
MARKS = (b"QZmark", b"99.7.5", b"81.4", b"8137259", b"1937261", b"6937263", b"3337267", b"0.4375", b"7.2128")
READER_PAGES = ("start", "paused", "finished", "display", "training", "debriefing")
DOORS = (
    "",
    "case.json",
    "frame/1",
    "frame/1?quarter=1",
    "frames/1-1",
    "heatmap/1",
    "mask/1",
    "draft",
    "submit",
    "output",
    "revise",
    "pause",
)


def everything(client: Client, slot: Slot) -> Iterator[Any]:
    """Every reading route of a slot by every method that a browser has."""
    for door in DOORS:
        for method in ("get", "head", "options"):
            yield getattr(client, method)(f"/reading/{slot.token}/{door}")
    yield post(client, slot, "draft", {"answers": {"decision": True}})
    yield post(client, slot, "submit", {"client_key": "no", "answers": {}})


def assistance_sent(slot: Slot) -> Any:
    return json.loads(json.dumps(what_reader_sees(slot).to_document()))["assistance"]


def content_of(response: Any) -> bytes:
    """Status, headers and body; the form token of the log-out button is masked anew in every page."""
    head = f"{response.status_code} {sorted(response.headers.items())}".encode()
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return head + re.sub(rb'name="csrfmiddlewaretoken" value="\w{64}"', b"", content)


def test_the_doors_above_are_all_the_doors_that_a_slot_has() -> None:
    """A new route must be added here, and with it to the walks below."""
    found = {str(pattern.pattern) for pattern in get_resolver("readerstudy.reading.urls").url_patterns}
    of_slots = {route.removeprefix("<str:slot>/") for route in found if route.startswith("<str:slot>/")}
    assert {re.sub(r"<int:\w+>", "1", route) for route in of_slots} == {door.split("?")[0] for door in DOORS}
    assert {route for route in found if "<str:slot>" not in route} == {
        "",
        "start/<str:reader>/",
        "paused/<str:reader>/",
        "finished/<str:reader>/",
        "display/<str:reader>/",
        "training/<str:reader>/",
        "debriefing/<str:reader>/",
    }


def test_no_mark_of_the_model_reaches_an_unaided_reading(people: People) -> None:
    room = open_room(people, MARKED, ALL_SHOWN)
    bob = client_of(people.bob)
    seen = {"unaided": b"", "aided": b""}
    for slot in room.slots()[:4]:
        seen[slot.arm.code] += b"".join(content_of(response) for response in everything(bob, slot))
        assert post(bob, slot, "submit", body()).status_code == 200
        pages = [
            "/reading/",
            *(f"/reading/{page}/{room.reader().token}/" for page in READER_PAGES),
        ]
        seen["unaided"] += b"".join(content_of(bob.get(page)) for page in pages)
    assert [mark for mark in MARKS if mark in seen["unaided"]] == []
    # The same walk finds them where they are shown, so it would find them.
    shown = (b"modelQZmark", b"heatQZmark", b"maskQZmark", b"LQZmark", b"boxQZmark", b"0.4375", b"7.2128", b"99.7.5")
    assert all(mark in seen["aided"] for mark in shown)


def test_what_stays_hidden_in_both_arms_reaches_nobody(people: People) -> None:
    room = open_room(people, MARKED)
    bob = client_of(people.bob)
    for slot in room.slots()[:4]:
        seen = b"".join(content_of(response) for response in everything(bob, slot))
        assert b"labelQZmark" not in seen
        assert b"siteQZmark" not in seen
        read_slot(bob, slot)


def test_the_next_case_is_fetched_ahead_without_a_word_about_it(people: People) -> None:
    room = open_room(people, MARKED)
    bob = client_of(people.bob)
    for slot, following in zip(room.slots()[:3], room.slots()[1:4], strict=True):
        ahead = bob.get(f"/reading/{slot.token}/case.json").json()["next_prefetch"]
        assert set(ahead) == {"slot", "series"}
        for kind in ("heatmap", "mask"):
            assert bob.get(f"/reading/{following.token}/{kind}/1").status_code == 404
        assert bob.get(f"/reading/{following.token}/case.json").status_code == 403
        read_slot(bob, slot)


def test_an_arm_shows_what_the_protocol_lets_it_show(people: People) -> None:
    arms = (CROSSOVER.arms[0], ArmOutline("Aided", "aided", "concurrent", shows_probability=False, shows_heatmap=True))
    outline = Outline(arms, CROSSOVER.washouts, CROSSOVER.questions, CROSSOVER.endpoints)
    room = open_room(people, MARKED, outline)
    slot = next(slot for slot in room.slots()[:4] if slot.arm.aided)
    assistance = assistance_sent(slot)
    assert assistance == {
        "algorithm": "modelQZmark 99.7.5",
        "probability": None,
        "operating_point": None,
        "positive": None,
        "abstain": None,
        "uncertain": None,
        "heatmaps": [{"frame": f"/reading/{slot.token}/frame/1", "url": f"/reading/{slot.token}/heatmap/1"}],
        "masks": None,
        "boxes": None,
        "levels": None,
        "heatmap_at_once": True,
    }
    bob = client_of(people.bob)
    for before in room.slots()[: room.slots().index(slot)]:
        read_slot(bob, before)
    bob.get(f"/reading/{slot.token}/case.json")
    assert bob.get(f"/reading/{slot.token}/heatmap/1").status_code == 200
    for hidden in ("heatmap/0", "heatmap/2", "mask/1"):
        assert bob.get(f"/reading/{slot.token}/{hidden}").status_code == 404


def test_figures_stay_hidden_where_the_arm_shows_none(people: People) -> None:
    """Levels and boxes are shown by name then, and nothing says which the model holds for fractured."""
    arm = ArmOutline("Aided", "aided", "concurrent", shows_mask=True, shows_boxes=True, shows_levels=True)
    room = open_room(people, MARKED, replace(CROSSOVER, arms=(CROSSOVER.arms[0], arm)))
    slot = next(slot for slot in room.slots()[:4] if slot.arm.aided)
    shown = assistance_sent(slot)
    frame = f"/reading/{slot.token}/frame/1"
    assert shown["masks"] == [{"frame": frame, "url": f"/reading/{slot.token}/mask/1"}]
    assert shown["heatmaps"] is None
    (level,), (box,) = shown["levels"], shown["boxes"]
    assert level == {
        "frame": frame,
        "label": "LQZmark",
        "points": [[4.5, 7.2128], [12.5, 7.2128], [12.5, 12.2128], [4.5, 12.2128]],
        "probability": None,
        "positive": None,
    }
    assert box["points"] == [[3.0, 6.7128], [12.0, 6.7128], [12.0, 13.7128], [3.0, 13.7128]]
    assert (box["label"], box["probability"], box["positive"]) == ("boxQZmark", None, None)
    assert not any(
        mark in json.dumps(shown).encode() for mark in MARKS if mark not in (b"QZmark", b"99.7.5", b"7.2128")
    )


def test_output_lies_on_its_own_slice_of_its_own_series(people: People) -> None:
    corners = ((1.0, 1.0), (1.0, 5.0), (4.0, 5.0), (4.0, 1.0))
    found = Findings(0.5, masks=(StoredPlane(1, 1, put(b"mask of five", "png")),), heatmaps=())
    found = replace(found, vertebrae=(Vertebra("L2", 0.5, True, 0, 2, corners), Vertebra("L3", 0.5, True, 1, 0)))
    room = prepared_room(people, Hidden(findings=found), ALL_SHOWN, images=3)
    for case in room.study.cases.all():
        add_series(case, images=2)
    start(room)
    slot = next(slot for slot in room.slots()[:4] if slot.arm.aided)
    shown = assistance_sent(slot)
    base = f"/reading/{slot.token}"
    assert shown["masks"] == [{"frame": f"{base}/frame/5", "url": f"{base}/mask/5"}]
    assert shown["heatmaps"] == []
    assert [(level["label"], level["frame"], len(level["points"])) for level in shown["levels"]] == [
        ("L2", f"{base}/frame/3", 4),
        ("L3", f"{base}/frame/4", 0),
    ]
    assert overlay_bytes(slot, "mask", 5) == b"mask of five"


def test_what_is_shown_is_looked_up_in_as_many_queries_for_one_slice_as_for_many(
    people: People, django_assert_num_queries: Any
) -> None:
    room = open_room(people, outline=ALL_SHOWN, images=40)
    slot = next(slot for slot in room.slots()[:4] if slot.arm.aided)
    series = series_in_sight([slot])[slot.pk]
    with django_assert_num_queries(1):
        assert assistance_of(slot, series) is not None
    unaided = next(slot for slot in room.slots()[:4] if not slot.arm.aided)
    with django_assert_num_queries(0):
        assert assistance_of(unaided, series) is None


def test_the_heat_map_of_an_unaided_slot_is_missing_like_anything_that_does_not_exist(room: Room) -> None:
    bob = client_of(room.people.bob)
    unaided = next(slot for slot in room.slots()[:4] if not slot.arm.aided)
    for slot in room.slots()[:4]:
        if slot == unaided:
            break
        read_slot(bob, slot)
    bob.get(f"/reading/{unaided.token}/case.json")
    for door in ("heatmap/1", "mask/1"):
        hidden = bob.get(f"/reading/{unaided.token}/{door}")
        missing = bob.get(f"/reading/{secrets.token_urlsafe(16)}/{door}")
        assert hidden.status_code == 404
        assert content_of(hidden) == content_of(missing)


def test_anothers_slot_answers_byte_for_byte_like_none(room: Room) -> None:
    people = room.people
    rita = client_of(people.rita)
    strangers = [client_of(user) for user in (people.bob, people.alice, people.tess, people.stan, people.charlie)]
    slot = room.slots("rita")[0]
    rita.get(f"/reading/{slot.token}/case.json")
    nothing = Slot(token=secrets.token_urlsafe(16))
    for stranger in strangers:
        answers = [[content_of(response) for response in everything(stranger, own)] for own in (slot, nothing)]
        assert answers[0] == answers[1]
        assert all(
            answer.startswith((b"404", b"405")) for answer in answers[0] if not answer.startswith(b"200 [('Allow")
        )
    for page in READER_PAGES:
        own, none = f"/reading/{page}/{room.reader('rita').token}/", f"/reading/{page}/{nothing.token}/"
        assert content_of(strangers[0].get(own)) == content_of(strangers[0].get(none))
        assert strangers[0].get(own).status_code == 404
    assert Reading.objects.filter(slot__reader=room.reader()).count() == 0


def test_who_is_not_logged_in_is_sent_to_the_log_in(room: Room) -> None:
    slot = room.slots()[0]
    for response in everything(Client(), slot):
        assert response.status_code == 302
        assert "/accounts/login/" in response.headers["Location"]


def test_a_withdrawn_reader_finds_nothing(room: Room) -> None:
    from readerstudy.studies.actions import withdraw

    bob, slot = client_of(room.people.bob), room.slots()[0]
    bob.get(f"/reading/{slot.token}/case.json")
    withdraw(enrolment=room.reader(), reason="Moved away.", by=room.people.alice)
    assert bob.get(f"/reading/{slot.token}/case.json").status_code == 404
    assert bob.get(f"/reading/{slot.token}/frame/1").status_code == 404
    assert post(bob, slot, "submit", body()).status_code == 404


def test_only_headers_that_say_nothing_are_sent_and_only_pixels_are_kept(room: Room) -> None:
    bob = client_of(room.people.bob)
    for slot in room.slots()[:2]:
        for response in everything(bob, slot):
            assert set(response.headers) <= ALLOWED_HEADERS
            pixels = response.headers.get("Content-Type") == "application/octet-stream"
            if response.status_code == 200 and response.request["REQUEST_METHOD"] == "GET":
                assert response.headers["Cache-Control"] == ("private, max-age=3600" if pixels else "private, no-store")
        read_slot(bob, slot)


# Twin worlds
