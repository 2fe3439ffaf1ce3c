"""The one error of this package: data or a request that cannot be analysed."""


class CannotAnalyse(ValueError):
    """Raised where no valid result exists; the message is one sentence for the person who asked."""
