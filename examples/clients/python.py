"""A client in Python, with its standard library alone. One file to copy; Python 3.8 or later.

    rota = Rota("http://127.0.0.1:8080", key="rota_...")
    id = rota.launch(workflow="define x\\n  alpha", callback="http://127.0.0.1:8081", fields={"who": "Ada"})["id"]
    print(rota.wait(id, timeout=60)["fields"])
"""

import json
import os
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


class RotaError(Exception):
    """What a call that does not succeed raises. Tell one from another by `code`."""

    def __init__(self, message, code, status=None, retryable=False, errors=(), retry_after=None):
        super().__init__(message)
        self.code, self.status, self.retryable = code, status, retryable
        self.errors, self.retry_after = errors, retry_after


class Rota:
    def __init__(self, url=None, key=None, tenant=None, tries=5, max_delay=30):
        self.url = (url or os.environ.get("ROTA_URL") or "http://127.0.0.1:8080").rstrip("/")
        self.key = key or os.environ.get("ROTA_API_KEY")
        self.tenant, self.tries, self.max_delay = tenant, tries, max_delay

    def ping(self):
        return self.request("GET", "/v1/ping")

    def launch(self, **body):
        """`workflow` (or `definition`), `callback` or `callbacks`, `fields`, ..."""
        return self.request("POST", "/v1/workflows", body)

    def run(self, name, **body):
        return self.request("POST", f"/v1/definitions/{_part(name)}/run", body)

    def show(self, id):
        return self.request("GET", f"/v1/workflows/{_part(id)}")

    def wait(self, id, timeout=None):
        """The workflow once it is over, or in error and waiting for somebody."""
        end = None if timeout is None else time.monotonic() + timeout
        delay = 0.05
        while True:
            workflow = self.show(id)
            if workflow["ended_at"] is not None or workflow["status"] == "error":
                return workflow
            if end is not None and time.monotonic() >= end:
                raise RotaError(f"{id} is still {workflow['status']}", "timeout", retryable=True)
            time.sleep(delay)
            delay = min(delay * 1.5, 2)

    def proceed(self, proceed_url, fields=None):
        return self.request("POST", proceed_url, {} if fields is None else {"fields": fields})

    def fail(self, proceed_url, message, **more):
        head, mark, query = proceed_url.partition("?")
        return self.request("POST", head[: -len("proceed")] + "fail" + mark + query, {"message": message, **more})

    def cancel(self, id, **body):
        return self.request("POST", f"/v1/workflows/{_part(id)}/cancel", body)

    def message(self, id, name, **data):
        return self.request("POST", f"/v1/workflows/{_part(id)}/messages/{_part(name)}", data)

    def send(self, event):
        """Sends an event (CloudEvents 1.0): `source`, `type`, `data`, ..."""
        whole = {"specversion": "1.0", "id": os.urandom(16).hex(), **event}
        return self.request("POST", "/v1/events", whole, {"Content-Type": "application/cloudevents+json"})

    def list(self, **filters):
        """Workflows over all pages, the newest first."""
        cursor = None
        while True:
            query = urllib.parse.urlencode({**filters, **({} if cursor is None else {"cursor": cursor})})
            page = self.request("GET", "/v1/workflows" + ("?" + query if query else ""))
            yield from page["workflows"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def request(self, method, path, body=None, headers=None):
        """Any call there is. All tries of a POST have one Idempotency-Key."""
        is_whole = path.startswith(("http://", "https://"))
        url = path if is_whole else self.url + path
        head = {"Accept": "application/json, text/plain;q=0.9"}
        # A proceed_url with a token of its own needs no key, and other servers have no business with it.
        if self.key and url.startswith(self.url + "/") and "token=" not in url:
            head["Authorization"] = "Bearer " + self.key
        if self.tenant:
            head["Rota-Tenant"] = self.tenant
        if body is not None:
            head["Content-Type"] = "application/json"
        if method == "POST":
            head["Idempotency-Key"] = os.urandom(16).hex()
        head.update(headers or {})
        data = None if body is None else json.dumps(body).encode()
        for number in range(self.tries):
            try:
                return self._once(method, url, data, head)
            except RotaError as error:
                delay = max(0.2 * 2**number * random.uniform(0.5, 1.5), error.retry_after or 0)
                if not error.retryable or number + 1 == self.tries or delay > self.max_delay:
                    raise
            time.sleep(delay)

    def _once(self, method, url, data, head):
        request = urllib.request.Request(url, data, head, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return _value(answer.headers.get("Content-Type", ""), answer.read())
        except urllib.error.HTTPError as error:
            raise _error_of(error) from None
        except OSError as error:
            raise RotaError(f"{url}: {error}", "unreachable", retryable=True) from error


def _part(text):
    return urllib.parse.quote(text, safe="!")


def _value(content_type, body):
    return json.loads(body) if "json" in content_type else body.decode()


def _error_of(error):
    passes = error.code in (408, 425, 429) or (error.code >= 500 and error.code != 501)
    after = error.headers.get("Retry-After", "")
    known = {"status": error.code, "retry_after": int(after) if after.isdigit() else None}
    try:
        problem = json.loads(error.read())
        return RotaError(
            problem["detail"], problem["code"], retryable=problem["retryable"], errors=problem.get("errors", ()), **known
        )
    except (ValueError, KeyError, TypeError):
        names = {502: "bad_gateway", 503: "service_unavailable", 504: "gateway_timeout"}
        return RotaError(str(error), names.get(error.code, f"http_{error.code}"), retryable=passes, **known)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("python3 python.py order.radial http://127.0.0.1:8081 who=Ada")
    file, callback, *pairs = sys.argv[1:]
    rota = Rota()
    with open(file, encoding="utf-8") as text:
        launched = rota.launch(workflow=text.read(), callback=callback, fields=dict(pair.split("=", 1) for pair in pairs))
    print(json.dumps(rota.wait(launched["id"], timeout=60)))
