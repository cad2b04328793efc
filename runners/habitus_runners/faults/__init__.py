"""A service that fails in every way a service can, for tests. Imports the standard library alone.

README.md beside this file says how to use it in the tests of a runner of one's own.
"""

from habitus_runners.faults.asked import Asked, Behaviour, End, Script, question_key
from habitus_runners.faults.batch_ends import BatchEnd
from habitus_runners.faults.behaviours import Hang, Latency, Ok, Quota, Reset, Status, TooMany
from habitus_runners.faults.limits import Limits
from habitus_runners.faults.log import Call
from habitus_runners.faults.oddities import (
    BadRequest,
    Drip,
    Ended,
    Garbled,
    Huge,
    NoChoices,
    NotFound,
    NoUsage,
    NullContent,
    Refusal,
    Unauthorised,
    WrongModel,
)
from habitus_runners.faults.plans import Attempts, InTurn, Mixture
from habitus_runners.faults.server import FaultServer

__all__ = [
    "Asked",
    "Attempts",
    "BadRequest",
    "BatchEnd",
    "Behaviour",
    "Call",
    "Drip",
    "End",
    "Ended",
    "FaultServer",
    "Garbled",
    "Hang",
    "Huge",
    "InTurn",
    "Latency",
    "Limits",
    "Mixture",
    "NoChoices",
    "NoUsage",
    "NotFound",
    "NullContent",
    "Ok",
    "Quota",
    "Refusal",
    "Reset",
    "Script",
    "Status",
    "TooMany",
    "Unauthorised",
    "WrongModel",
    "question_key",
]
