# SPDX-License-Identifier: MIT
"""uvloop LIBRARY: a multi on uvloop's loop, closed before the loop and not."""

import asyncio
import ctypes
import errno

from c_interface import CANCELLED, PendingTransfer, skip

try:
    import uvloop
    from uvloop.loop import libuv_get_loop_t_ptr
except ImportError:
    skip("no uvloop here")

unwrap = ctypes.pythonapi.PyCapsule_GetPointer
unwrap.restype, unwrap.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


async def until(reached):
    while not reached():
        await asyncio.sleep(0.001)


def start(loop):
    transfer = PendingTransfer(unwrap(libuv_get_loop_t_ptr(loop), None))
    loop.run_until_complete(until(transfer.connected))
    return transfer


loop = uvloop.new_event_loop()
transfer = start(loop)
transfer.close()
loop.run_until_complete(until(lambda: transfer.closed))
assert transfer.status == CANCELLED, transfer.status
transfer.free()
loop.close()

loop = uvloop.new_event_loop()
transfer = start(loop)
try:
    loop.close()
    raise AssertionError("uvloop does not see what is left on its loop")
except OSError as error:
    assert error.errno == errno.EBUSY, error
transfer.free()
print("uvloop", uvloop.__version__)
