# SPDX-License-Identifier: GPL-2.0-or-later
"""A WebDAV server's bad day: hands requests on to BACKEND and fails the first COUNT PUTs.

    faulty_proxy.py BACKEND_PORT FAULT COUNT LOG

FAULT is a status (503, 401, ...), "ratelimit" (403 that speaks of a rate limit), "drop"
(the connection ends in the middle) or "lie" (takes the bytes, keeps half of them).
Prints its own port; each request is a line "METHOD STATUS BYTES" in LOG.
"""

import http.client
import http.server
import sys

backend, fault, count, log = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    left = count

    def log_message(self, *args):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline().strip(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, data, headers=()):
        self.send_response(status)
        for key, value in headers:
            if key.lower() not in ("transfer-encoding", "content-length", "connection", "date"):
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def note(self, status, size):
        with open(log, "a") as out:
            out.write(f"{self.command} {status} {size}\n")

    def handle_any(self):
        if self.command == "PUT" and Handler.left > 0 and ".index.json" not in self.path:
            Handler.left -= 1
            if fault == "drop":
                self.rfile.read(1000)
                self.note("drop", 1000)
                self.close_connection = True
                self.connection.close()
                return
            data = self.body()
            if fault != "lie":
                status = 403 if fault == "ratelimit" else int(fault)
                self.note(status, len(data))
                self.answer(status, b"User rate limit exceeded" if fault == "ratelimit" else b"no")
                return
            data = data[: len(data) // 2]
        else:
            data = self.body()
        headers = {k: v for k, v in self.headers.items()
                   if k.lower() not in ("host", "content-length", "transfer-encoding", "accept-encoding")}
        if "Destination" in headers:
            headers["Destination"] = headers["Destination"].replace(
                self.headers["Host"], f"127.0.0.1:{backend}")
        link = http.client.HTTPConnection("127.0.0.1", backend, timeout=30)
        link.request(self.command, self.path, body=data, headers=headers)
        reply = link.getresponse()
        payload = reply.read()
        self.note(reply.status, len(data))
        self.answer(reply.status, payload, reply.getheaders())
        link.close()

    do_GET = do_PUT = do_HEAD = do_DELETE = do_PROPFIND = do_MKCOL = do_MOVE = do_COPY = handle_any
    do_OPTIONS = handle_any


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # a client that gave up is what this is about


server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
