"""Examples for the documentation. The tests send them."""

from drf_spectacular.utils import OpenApiExample

STUDY = OpenApiExample(
    "One question about one response",
    {
        "slug": "metaphors",
        "title": "Rate metaphors",
        "seats": 5,
        "instructions": "Read the response, then say how good it is.",
        "criterion": [
            {
                "key": "quality",
                "on": "single",
                "kind": "rating",
                "measures": "quality",
                "text": "How good is this response?",
                "scale": [1, 5],
                "labels": {"1": "very poor", "5": "excellent"},
            }
        ],
    },
    request_only=True,
)
PROMPTS = OpenApiExample(
    "A prompt",
    [{"prompt_id": "time", "text": "Write a metaphor about time."}],
    request_only=True,
)
RESPONSES = OpenApiExample(
    "Two responses",
    [
        {"response_id": "r1", "prompt_id": "time", "text": "Time is a river.", "source": "model-a"},
        {
            "response_id": "r2",
            "prompt_id": "time",
            "text": "Time is a weaver with cold hands.",
            "source": "model-b",
            "params": {"temperature": 1.0},
        },
    ],
    request_only=True,
)
ITEMS = OpenApiExample(
    "One screen for each",
    [
        {"item_id": "i1", "kind": "single", "prompt_id": "time", "response_ids": ["r1"]},
        {"item_id": "i2", "kind": "single", "prompt_id": "time", "response_ids": ["r2"]},
    ],
    request_only=True,
)
SCORES = OpenApiExample(
    "A reward model's scores",
    [
        {"scorer": "reward-x", "version": "1", "response_id": "r1", "value": 0.71},
        {"scorer": "reward-x", "version": "1", "response_id": "r2", "value": 0.34},
    ],
    request_only=True,
)
WRONG = OpenApiExample(
    "Two rows that cannot be stored",
    {
        "type": "about:blank",
        "title": "Rows that cannot be stored",
        "status": 422,
        "detail": "Nothing was stored: see `errors`.",
        "errors": [
            {
                "row": 2,
                "field": "prompt_id",
                "expected": "a prompt_id of prompts",
                "found": '"nowhere"',
            },
            {"row": 3, "field": "text", "expected": "text", "found": "7"},
        ],
        "error_count": 2,
    },
    response_only=True,
    status_codes=["422"],
)
