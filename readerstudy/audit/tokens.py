"""Public identities: 128 random bits, so that nothing in a URL can be counted or guessed."""

import secrets

TOKEN_LENGTH = 22


def new_token() -> str:
    """Never with a dash in front: `manage.py import_cases -x… cases.csv` would take it for an option."""
    while (token := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return token
