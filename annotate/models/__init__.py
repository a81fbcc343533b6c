from .assignment import Annotator, Assignment, Draft
from .corpus import Prompt, Response
from .judgment import Answer, Judgment
from .study import Criterion, Item, ItemResponse, Study

__all__ = [
    "Annotator",
    "Answer",
    "Assignment",
    "Criterion",
    "Draft",
    "Item",
    "ItemResponse",
    "Judgment",
    "Prompt",
    "Response",
    "Study",
]
