"""The study folder, in and out."""

from .export import Exported, export_folder
from .load import Loaded, Part, TakesUp, anyone, load_folder, open_seats
from .pool import load_items, load_pool
from .problems import FolderError, Problem
from .unpack import take, unpack
from .writing import Form

__all__ = [
    "Exported",
    "FolderError",
    "Form",
    "Loaded",
    "Part",
    "Problem",
    "TakesUp",
    "anyone",
    "export_folder",
    "load_folder",
    "load_items",
    "load_pool",
    "open_seats",
    "take",
    "unpack",
]
