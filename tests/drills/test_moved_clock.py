"""The clock that tests move is the operating system's, as the server processes see it."""

import urllib.request
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from django.utils import timezone

from tests.servers import WEB, WORKER, Server

pytestmark = pytest.mark.drill


@pytest.mark.parametrize("offset", [timedelta(days=40), timedelta(days=-90)])
def test_servers_live_at_the_moved_time_and_their_timeouts_still_work(
    server_environment: dict[str, str], offset: timedelta
) -> None:
    with Server(server_environment, offset, parts=(WEB, WORKER)) as server:
        with urllib.request.urlopen(server.address) as page:
            seen = parsedate_to_datetime(page.headers["Date"])
        assert abs(seen - (timezone.now() + offset)) < timedelta(minutes=1)
        # A kill -9 and a new start, as the drills do it.
        server.kill(WEB)
        server.restart(WEB)
        assert server.application.answers(WEB)
