"""Runs moto's server on a free port of the loopback, prints the port, and ends when stdin closes.

Ending with stdin means that a test that is killed leaves no server behind. A line `2026-01-31T12:00:00` on stdin
sets the time at which S3 objects are written from then on, an empty one sets it free; each is answered with `ok`.
"""

import datetime
import sys

import moto.s3.models
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
utcnow = moto.s3.models.utcnow
for line in sys.stdin:
    time = line.strip()
    if time:
        fixed = datetime.datetime.fromisoformat(time)
        moto.s3.models.utcnow = lambda fixed=fixed: fixed
    else:
        moto.s3.models.utcnow = utcnow
    print("ok", flush=True)
server.stop()
