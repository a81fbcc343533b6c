from .assignment import Annotator, Assignment, Draft
from .corpus import PLANTED, Prompt, Response, planted
from .invite import InviteLink
from .judgment import Answer, Judgment
from .membership import Membership, Role
from .study import Criterion, Item, ItemResponse, Study
from .token import ApiToken
from .trail import Action, TrailEntry

__all__ = [
    "PLANTED",
    "Action",
    "Annotator",
    "Answer",
    "ApiToken",
    "Assignment",
    "Criterion",
    "Draft",
    "InviteLink",
    "Item",
    "ItemResponse",
    "Judgment",
    "Membership",
    "Prompt",
    "Response",
    "Role",
    "Study",
    "TrailEntry",
    "planted",
]
