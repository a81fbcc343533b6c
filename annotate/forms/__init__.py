"""What researchers enter at the study desk. Each form says its errors at its fields."""

from .criterion import CLONE_INSTEAD, USUAL, CriterionForm
from .files import FilesField
from .items import DesignForm, PlanForm, PlantForm, RepeatForm
from .members import MemberForm
from .pool import PoolForm
from .study import (
    CheckForms,
    CloneForm,
    JourneyForm,
    NewStudyForm,
    PageForm,
    PanelForm,
    TextsForm,
    check_rows,
)

__all__ = [
    "CLONE_INSTEAD", "USUAL", "CheckForms", "CloneForm", "CriterionForm", "DesignForm", "FilesField", "JourneyForm",
    "MemberForm", "NewStudyForm", "PageForm", "PanelForm", "PlanForm", "PlantForm", "PoolForm",
    "RepeatForm", "TextsForm", "check_rows",
]  # fmt: skip
