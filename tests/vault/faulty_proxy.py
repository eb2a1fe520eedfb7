# SPDX-License-Identifier: GPL-2.0-or-later
"""A WebDAV server's bad day: hands requests on to BACKEND and fails the first COUNT PUTs.

    faulty_proxy.py BACKEND_PORT [METHOD:]FAULT COUNT LOG

FAULT is a status (503, 401, ...), "ratelimit" (403 that speaks of a rate limit), "drop"
(the connection ends in the middle), "lie" (takes the bytes, keeps half of them) or
"short" (the answer ends in the middle).  "cut" knows no HTTP: of the first COUNT
connections each ends after 60,000 bytes from the client, whatever is spoken over them.
Prints its own port; each request is a line "METHOD STATUS BYTES" in LOG.
"""

import http.client
import http.server
import socket
import sys
import threading

backend, fault, count, log = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
method, _, fault = fault.rpartition(":")
method = method or "PUT"


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
        short = False
        if self.command == method and Handler.left > 0 and ".index.json" not in self.path:
            Handler.left -= 1
            if fault == "drop":
                if self.command == "PUT":
                    self.rfile.read(1000)
                self.note("drop", 1000)
                self.close_connection = True
                self.connection.close()
                return
            data = self.body()
            short = fault == "short"
            if fault not in ("lie", "short"):
                status = 403 if fault == "ratelimit" else int(fault)
                self.note(status, len(data))
                self.answer(status, b"User rate limit exceeded" if fault == "ratelimit" else b"no")
                return
            data = data if short else data[: len(data) // 2]
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
        link.close()
        if short:
            self.note("short", len(payload) // 2)
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload[: len(payload) // 2])
            self.close_connection = True
            return
        self.note(reply.status, len(data))
        self.answer(reply.status, payload, reply.getheaders())

    do_GET = do_PUT = do_HEAD = do_DELETE = do_PROPFIND = do_MKCOL = do_MOVE = do_COPY = handle_any
    do_OPTIONS = handle_any


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # a client that gave up is what this is about


def relay(source, target, limit):
    try:
        while limit != 0 and (data := source.recv(min(limit, 16384) if limit > 0 else 16384)):
            target.sendall(data)
            limit -= len(data) if limit > 0 else 0
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def cut():
    door = socket.create_server(("127.0.0.1", 0))
    print(door.getsockname()[1], flush=True)
    left = count
    while True:
        client, _ = door.accept()
        link = socket.create_connection(("127.0.0.1", backend))
        with open(log, "a") as out:
            out.write(f"CONNECT {'cut' if left > 0 else '200'} 0\n")
        threading.Thread(target=relay, args=(client, link, 60000 if left > 0 else -1), daemon=True).start()
        threading.Thread(target=relay, args=(link, client, -1), daemon=True).start()
        left -= 1


if fault == "cut":
    cut()
server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
