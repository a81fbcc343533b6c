"""Set a study up, score its pool, fetch what people and machines said. Needs httpx."""

import os
import time
from collections.abc import Iterator
from typing import Any

import httpx

Row = dict[str, Any]


class Offbeat:
    def __init__(self, address: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=f"{address}/api/v1/", headers=headers, timeout=60)

    def ask(self, method: str, path: str, **kwargs: Any) -> Any:
        answer = self.http.request(method, path, **kwargs)
        while answer.status_code in (429, 503):
            time.sleep(int(answer.headers.get("Retry-After", 5)))
            answer = self.http.request(method, path, **kwargs)
        if answer.is_error:
            problem = answer.json()
            raise RuntimeError(f"{problem['title']}: {problem.get('detail')} {problem.get('errors', '')}")
        return answer.json()

    def rows(self, path: str, **filters: Any) -> Iterator[Row]:
        page = self.ask("GET", path, params=filters | {"page_size": 1000})
        yield from page["results"]
        while page["next"]:
            page = self.ask("GET", page["next"])
            yield from page["results"]

    def run(self, study: str, scorer: str) -> Row:
        run: Row = self.ask("POST", f"studies/{study}/runs/", json={"scorer": scorer})
        while run["status"] in ("waiting", "running"):
            time.sleep(1)
            run = self.ask("GET", f"studies/{study}/runs/{run['id']}/")
        return run


def main() -> None:
    offbeat = Offbeat(os.environ["OFFBEAT_ADDRESS"], os.environ["OFFBEAT_TOKEN"])
    question = {"key": "quality", "on": "single", "kind": "rating", "measures": "quality",
                "text": "How good is this response?", "scale": [1, 5]}  # fmt: skip
    offbeat.ask(
        "POST", "studies/", json={"slug": "time", "title": "Time", "seats": 3, "criterion": [question]}
    )
    texts = ["Time is a river.", "Time is a weaver with cold hands."]
    pool = [
        {"response_id": f"r{n}", "prompt_id": "p", "text": t, "source": "me"} for n, t in enumerate(texts)
    ]
    items = [{"item_id": r["response_id"], "kind": "single", "prompt_id": "p",
              "response_ids": [r["response_id"]]} for r in pool]  # fmt: skip
    offbeat.ask("POST", "studies/time/prompts/", json=[{"prompt_id": "p", "text": "A metaphor about time."}])
    for table, rows in (("responses", pool), ("items", items)):
        print(offbeat.ask("POST", f"studies/time/{table}/", json=rows))
    print(offbeat.ask("PATCH", "studies/time/", json={"status": "open"})["counts"])
    print(offbeat.run("time", "length")["status"])
    for score in offbeat.rows("studies/time/scores/", scorer="length", fields="response_id,value"):
        print(score["response_id"], score["value"])
    for entry in offbeat.ask("GET", "studies/time/agreement/")["criteria"]:
        print(entry["criterion"], entry["level"], entry["alpha"]["estimate"], entry["n_answers"])
    print(len(list(offbeat.rows("studies/time/judgments/"))))


if __name__ == "__main__":
    main()
