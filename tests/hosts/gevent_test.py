# SPDX-License-Identifier: MIT
"""gevent LIBRARY: a multi on the loop of gevent's hub, closed before the hub and not."""

import os

from c_interface import CANCELLED, PendingTransfer, skip

os.environ["GEVENT_LOOP"] = "libuv-cffi"
try:
    import gevent
    from gevent.libuv.loop import ffi
except ImportError:
    skip("no gevent with libuv here")


def until(reached):
    while not reached():
        gevent.sleep(0.001)


def start():
    transfer = PendingTransfer(int(ffi.cast("uintptr_t", gevent.get_hub().loop.ptr)))
    until(transfer.connected)
    return transfer


transfer = start()
transfer.close()
until(lambda: transfer.closed)
assert transfer.status == CANCELLED, transfer.status
transfer.free()

transfer = start()
gevent.get_hub().destroy(destroy_loop=True)  # closes all handles on the loop, whosever they are
transfer.free()
print("gevent", gevent.__version__)
