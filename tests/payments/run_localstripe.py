"""
Start localstripe on this machine alone, and say on which port.

Run by the Python of localstripe's own environment: it is GPL and stays a program of its own. Its
command line would listen to the whole network and keep its store in a shared file.
"""

import socket

from aiohttp import web
from localstripe import resources
from localstripe.server import app

resources.store.dump_to_disk = lambda: None
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
web.run_app(app, sock=listening, access_log=None, print=None)
