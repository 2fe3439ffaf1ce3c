"""The two ways an action says no; both carry a sentence for the person who asked."""


class Denied(Exception):
    """The person may not do this; the text says why."""


class Refused(ValueError):
    """The request cannot be carried out as it stands; the text says what is wrong."""


class Conflict(Refused):
    """Other values are already stored under the same key."""
