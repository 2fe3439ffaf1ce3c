"""How gunicorn serves the pages; `make serve` and `make demo` start it with `-c python:readerstudy.serving`."""

import os
from pathlib import Path


def whole_number(name: str, default: int) -> int:
    text = os.environ.get(name, "") or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise SystemExit(f"Settings: {name} is {text!r}; it must be a whole number above 0.")
    return int(text)


wsgi_app = "readerstudy.wsgi:application"
bind = os.environ.get("BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = whole_number("WEB_WORKERS", 2)
threads = whole_number("WEB_THREADS", 8)
# Readers think for a minute between cases; a kept connection saves them the handshake.
keepalive = 75
graceful_timeout = 20
timeout = 60
control_socket_disable = True
# The heartbeat file in memory: a full or slow disk must not look like a hanging worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
