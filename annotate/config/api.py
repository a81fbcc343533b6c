"""Settings of the API (`/api/v1/`) that no environment changes."""

from typing import Any

# Who calls is known by a token, or by the log-in of a browser.
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "annotate.api.access.TokenAuthentication",
        "annotate.api.access.LogInAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["annotate.api.access.WithinScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["annotate.api.rows.JSON"],
    "DEFAULT_SCHEMA_CLASS": "annotate.api.schema.Schema",
    "DEFAULT_THROTTLE_CLASSES": ["annotate.api.access.Accounts"],
    "EXCEPTION_HANDLER": "annotate.api.problems.exception_response",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Offbeat",
    "DESCRIPTION": "What people and machines say of the same LLM responses.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "LICENSE": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "TAGS": [
        {"name": name}
        for name in (
            *("studies", "prompts", "responses", "items", "seats", "annotators", "judgments"),
            *("scorers", "runs", "scores", "results", "exports"),
        )
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    # `?fields=` leaves out what nobody asked for.
    "COMPONENT_NO_READ_ONLY_REQUIRED": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "StudyStatus": "annotate.models.Study.Status",
        "RunStatus": "judging.models.ScoringTask.Status",
        "ExportStatus": ["waiting", "running", "done", "failed"],
        "ItemKind": "annotate.kinds.ItemKind",
        "CriterionKind": "annotate.kinds.choices",
        "ItemRole": "annotate.models.Item.Role",
    },
    "PREPROCESSING_HOOKS": ["annotate.api.schema.only_version_1"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "annotate.api.schema.strict",
    ],
    "COMPONENT_SPLIT_PATCH": False,
}
