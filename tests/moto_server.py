"""Runs moto's server on a free port of the loopback, prints the port, and ends when stdin closes.

Ending with stdin means that a test that is killed leaves no server behind.
"""

import sys

from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
