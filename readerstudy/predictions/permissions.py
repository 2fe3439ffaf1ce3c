from readerstudy.accounts.models import User
from readerstudy.audit.errors import Denied


def registers(user: User) -> bool:
    return user.site_role in (User.Site.DEVELOPER, User.Site.COORDINATOR, User.Site.ADMINISTRATOR)


def check_registers(user: User) -> None:
    if not registers(user):
        raise Denied("Only model developers and coordinators register algorithms.")
