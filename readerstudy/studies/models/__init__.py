from .design import Arm, Endpoint, Period, Rules
from .questions import Choice, Item, Question
from .study import Enrolment, ProtocolVersion, Study

__all__ = [
    "Arm",
    "Choice",
    "Endpoint",
    "Enrolment",
    "Item",
    "Period",
    "ProtocolVersion",
    "Question",
    "Rules",
    "Study",
]
