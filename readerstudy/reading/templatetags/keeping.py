"""Under what name a browser keeps what a reader has not sent yet."""

from django import template
from django.utils.crypto import salted_hmac

from readerstudy.accounts.models import User

register = template.Library()


@register.filter
def kept_as(user: object) -> str:
    """It tells nobody who that is, and two people of one computer have two."""
    name = user.get_username() if isinstance(user, User) else ""
    return salted_hmac("reading.kept", name).hexdigest()[:16]
