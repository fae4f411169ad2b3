"""Stands in for a service where the supervisor is tested: migrates nothing, answers 200 to everything."""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = os.environ["DATABASE_URL"].rsplit("/", 1)[1].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__" and sys.argv[1] == "serve":
    ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Answers).serve_forever()
