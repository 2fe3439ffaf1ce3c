"""The database goes away and comes back: 503 with a sentence and Retry-After, never 500, and then as before."""

import urllib.error
import urllib.request
from http.client import HTTPMessage

import psycopg
import pytest
from psycopg import sql

from tests.conftest import SERVERS
from tests.servers import WEB, Server

pytestmark = pytest.mark.drill


def asked(address: str, cookie: str = "") -> tuple[int, HTTPMessage, str]:
    request = urllib.request.Request(address, headers={"Cookie": cookie})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def test_a_database_that_is_away_is_said_so(server_environment: dict[str, str], committed_as_superuser: str) -> None:
    name = sql.Identifier(server_environment["DATABASE_URL"].rsplit("/", 1)[1])
    maintenance = SERVERS.superuser_url()
    with Server(server_environment, parts=(WEB,)) as server:
        page = f"{server.address}/accounts/login/"
        assert asked(page)[0] == 200
        with psycopg.connect(maintenance, autocommit=True) as superuser:
            superuser.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
            superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                [server_environment["DATABASE_URL"].rsplit("/", 1)[1]],
            )
            try:
                # With a session cookie the database is asked before any view is.
                status, headers, text = asked(f"{server.address}/", "sessionid=0123456789abcdef0123456789abcdef")
                assert status == 503, text[:300]
                assert headers["Retry-After"] == "5"
                assert "Nothing you sent was lost" in text
            finally:
                superuser.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        assert asked(page)[0] == 200
