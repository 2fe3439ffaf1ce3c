"""Public identities can stand in an address and on a command line."""

import re

from readerstudy.audit.tokens import TOKEN_LENGTH, new_token


def test_no_token_looks_like_an_option() -> None:
    assert all(re.fullmatch(rf"[A-Za-z0-9_][A-Za-z0-9_-]{{{TOKEN_LENGTH - 1}}}", new_token()) for _ in range(2000))
