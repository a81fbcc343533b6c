"""Refusals that DRF has no class for."""

from typing import Any

from rest_framework import exceptions, status

from annotate.folder import FolderError, Problem


class RowsError(exceptions.APIException):
    """Invalid rows; none were stored."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "rows"

    def __init__(self, error: FolderError) -> None:
        super().__init__("Nothing was stored: see `errors`.")
        self.errors = [_row(problem) for problem in error.problems]
        self.count = error.count


class ConflictError(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class TooLargeError(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class BusyError(exceptions.APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The database is busy; try again."
    default_code = "busy"
    wait = 10


def _row(problem: Problem) -> dict[str, Any]:
    return {
        "row": problem.line,
        "field": problem.column,
        "expected": problem.expected,
        "found": problem.found,
    }
