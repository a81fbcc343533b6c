"""What commands say, as the numbers they say it in."""

import json
from io import StringIO
from typing import Any

from django.core.management import call_command


def json_of(command: str, slug: str, *args: str) -> dict[str, Any]:
    out = StringIO()
    call_command(command, slug, "--json", *args, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found
