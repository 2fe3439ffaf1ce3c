from readerstudy.accounts.models import User
from readerstudy.audit.errors import Denied


def check_registers(user: User) -> None:
    if user.site_role not in (User.Site.DEVELOPER, User.Site.COORDINATOR, User.Site.ADMINISTRATOR):
        raise Denied("Only model developers and coordinators register algorithms.")
