from readerstudy.audit.errors import Denied

from .models import User


def check_makes_accounts(user: User) -> None:
    if user.site_role not in (User.Site.COORDINATOR, User.Site.ADMINISTRATOR):
        raise Denied("Only coordinators and administrators make accounts.")


def check_gives_site_role(user: User, site_role: str) -> None:
    if site_role != User.Site.MEMBER and user.site_role != User.Site.ADMINISTRATOR:
        raise Denied("Only administrators make coordinators, developers and administrators.")


def check_administers(user: User) -> None:
    if user.site_role != User.Site.ADMINISTRATOR:
        raise Denied("Only administrators may do this.")
