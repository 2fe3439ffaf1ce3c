"""The people of the tests, and studies in every state; all of it made by the actions that pages use."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from django.db import connection
from django.test import Client

from readerstudy.accounts.actions import create_account, set_profile
from readerstudy.accounts.models import Seniority, User
from readerstudy.cases.models import CaseImport
from readerstudy.reference.actions import import_at_once
from readerstudy.studies import actions
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.outline import CROSSOVER, Outline

PASSWORD = "correct-horse-battery-staple"
Role = Enrolment.Role


def person(username: str, *, site_role: str = User.Site.MEMBER, seniority: str = "") -> User:
    made = create_account(
        username=username, first_name=username.capitalize(), site_role=site_role, password=PASSWORD, by=None
    )
    if seniority:
        set_profile(user=made.user, seniority=seniority, specialty="radiology", years_of_experience=5, by=made.user)
    return made.user


@dataclass
class People:
    """Made when first asked for: most tests need two or three of them."""

    @cached_property
    def alice(self) -> User:
        """Coordinates."""
        return person("alice", site_role=User.Site.COORDINATOR)

    @cached_property
    def bob(self) -> User:
        """Reads; senior."""
        return person("bob", seniority=Seniority.SENIOR)

    @cached_property
    def rita(self) -> User:
        """Reads; junior."""
        return person("rita", seniority=Seniority.JUNIOR)

    @cached_property
    def tess(self) -> User:
        """Sets the truth."""
        return person("tess")

    @cached_property
    def stan(self) -> User:
        """Analyses."""
        return person("stan")

    @cached_property
    def dev(self) -> User:
        """Brings models."""
        return person("dev", site_role=User.Site.DEVELOPER)

    @cached_property
    def charlie(self) -> User:
        """A stranger: coordinates, but not this study."""
        return person("charlie", site_role=User.Site.COORDINATOR)

    @cached_property
    def ada(self) -> User:
        """Administers the site."""
        return person("ada", site_role=User.Site.ADMINISTRATOR)


def make_study(
    people: People,
    *,
    phase: str = Study.Phase.DRAFT,
    outline: Outline = CROSSOVER,
    title: str = "Compression fractures",
) -> Study:
    """A study of Alice with Bob and Rita as readers, Tess as truther, Stan as statistician.

    Draft or frozen: what comes after needs cases, which stand in later stages.
    """
    study = actions.create_study(
        title=title,
        question="Does the model help readers to find compression fractures?",
        instructions="Look at every vertebra. Decide first, then say how sure you are.",
        outline=outline,
        by=people.alice,
    )
    for user, role in (
        (people.bob, Role.READER),
        (people.rita, Role.READER),
        (people.tess, Role.TRUTHER),
        (people.stan, Role.STATISTICIAN),
    ):
        actions.enrol(study=study, username=user.username, role=role, by=people.alice)
    if phase != Study.Phase.DRAFT:
        assert phase == Study.Phase.FROZEN
        actions.freeze(study=study, by=people.alice)
    return study


def client_of(user: User) -> Client:
    """A browser in which this person is logged in."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def close_audit() -> None:
    """From here to the end of the transaction no event can be written: actions must fall with their event."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_event ADD CONSTRAINT audit_is_closed CHECK (false) NOT VALID")


def with_films(study: Study, manifest: Path, *, by: User) -> None:
    """The films of a manifest become cases of the study, with their truth, through the import."""
    done = import_at_once(study=study, manifest=manifest.read_bytes(), folder=manifest.parent, by=by)
    assert done.phase == CaseImport.Phase.DONE, done.faults or done.message
