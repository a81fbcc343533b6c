"""Scorers that run somewhere else and are asked over HTTP."""

from judging.scorers.endpoints.base import Remote
from judging.scorers.endpoints.client import Budget, EndpointError
from judging.scorers.endpoints.guard import RefusedError

__all__ = ["Budget", "EndpointError", "RefusedError", "Remote"]
