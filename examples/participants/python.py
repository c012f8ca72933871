"""A participant in Python, with its standard library alone: ROTA_WEBHOOK_SECRET=whsec_... python3 python.py

It checks who sent a message, answers it at once, does the work after, and hands the workitem back. Without a secret it takes messages from
anybody. Python 3.8 or later.
"""

import base64
import hashlib
import hmac
import json
import os
import queue
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8081"))
SECRET = os.environ.get("ROTA_WEBHOOK_SECRET")
AGE_SECONDS_MAX = 300
BODY_BYTES_MAX = 32 * 1024 * 1024
TRIES = 5


def work(workitem):
    """The work. What it returns is merged over the fields; what it raises fails the workitem."""
    who = workitem["fields"].get("who", "nobody")
    return {workitem["participant"] + "_greeting": "Hello, " + str(who)}


def is_signed(headers, body):
    """Whether the message was signed with our secret within the last 300 seconds (Standard Webhooks)."""
    message, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not seconds.isdigit() or abs(time.time() - int(seconds)) > AGE_SECONDS_MAX:
        return False
    key = base64.b64decode(SECRET.removeprefix("whsec_") if hasattr(str, "removeprefix") else SECRET.split("_", 1)[-1])
    signed = hmac.new(key, f"{message}.{seconds}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(signed).decode()
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(one.encode(), expected.encode()) for one in given)


def post(url, value):
    """Posts JSON; tries again what may pass, always with the same Idempotency-Key."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": os.urandom(16).hex()}
    for number in range(TRIES):
        request = urllib.request.Request(url, json.dumps(value).encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            passes = error.code in (408, 425, 429) or (error.code >= 500 and error.code != 501)
            if not passes or number + 1 == TRIES:
                print("refused:", error.code, error.read(1000).decode(errors="replace"), flush=True)
                return None
        except OSError as error:
            if number + 1 == TRIES:
                print("unreachable:", error, flush=True)
                return None
        time.sleep(0.2 * 2**number)
    return None


def do(workitem):
    url = workitem["proceed_url"]
    try:
        fields = work(workitem)
    except Exception as error:  # whatever it is, the workflow is told
        head, slash, query = url.partition("?")
        fail_url = head[: -len("proceed")] + "fail" + slash + query
        post(fail_url, {"message": str(error) or "it failed", "class": type(error).__name__})
        return
    post(url, {"fields": fields})


todo = queue.Queue()


def worker():
    while True:
        do(todo.get())


class Handler(BaseHTTPRequestHandler):
    known = {}
    lock = threading.Lock()

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_MAX:
            return self.reply(413)
        body = self.rfile.read(length)
        if SECRET and not is_signed(self.headers, body):
            return self.reply(401)
        try:
            workitem = json.loads(body)
            status, message = workitem["status"], self.headers.get("webhook-id")
        except (ValueError, KeyError, TypeError):
            return self.reply(400)
        with self.lock:
            is_known = message in self.known
            if message is not None:
                self.known[message] = time.time()
                while len(self.known) > 10000:
                    del self.known[next(iter(self.known))]
        if not is_known and status == "active":
            todo.put(workitem)
        elif status != "active":
            print("stop:", workitem["workitem_id"], status, flush=True)
        return self.reply(204)

    def reply(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer((HOST, PORT), Handler)
    threading.Thread(target=worker, daemon=True).start()
    print(f"listening at http://{HOST}:{server.server_address[1]}", flush=True)
    server.serve_forever()
