"""Public identities: 128 random bits, so that nothing in a URL can be counted or guessed."""

import secrets

TOKEN_LENGTH = 22


def new_token() -> str:
    return secrets.token_urlsafe(16)
