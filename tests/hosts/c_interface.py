# SPDX-License-Identifier: MIT
"""curlicue's C interface by ctypes, as far as these tests need it, and a server that never answers."""

import ctypes
import socket
import sys

SKIPPED = 77  # Meson's
HOLD_NEVER = 2
CANCELLED = 2019
URL = 10002  # CURLOPT_URL

library = ctypes.CDLL(sys.argv[1])
pointer = ctypes.c_void_p
library.curlicue_easy_handle.restype = pointer
done_type = ctypes.CFUNCTYPE(None, pointer, pointer, ctypes.c_int, ctypes.c_char_p)
closed_type = ctypes.CFUNCTYPE(None, pointer)


class Options(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("hold", ctypes.c_int),
        ("enter", pointer),
        ("leave", pointer),
        ("arg", pointer),
        ("shards", ctypes.c_size_t),
        ("ca_cache", ctypes.c_int),
        ("heartbeat_ms", ctypes.c_long),
    ]


def skip(why):
    print(why)
    sys.exit(SKIPPED)


def check(status):
    assert status == 0, status


class PendingTransfer:
    """A multi on the host's loop, with a transfer whose server does not answer."""

    def __init__(self, loop):
        options = Options(size=ctypes.sizeof(Options))
        library.curlicue_options_init(ctypes.byref(options))
        options.hold = HOLD_NEVER
        self.multi, self.easy = pointer(), pointer()
        check(library.curlicue_multi_new(pointer(loop), ctypes.byref(options), ctypes.byref(self.multi)))
        check(library.curlicue_easy_new(ctypes.byref(self.easy)))
        self.server = socket.create_server(("127.0.0.1", 0))
        url = b"http://127.0.0.1:%d/" % self.server.getsockname()[1]
        handle = pointer(library.curlicue_easy_handle(self.easy))
        check(library.curl_easy_setopt(handle, URL, url))
        self.status, self.closed = None, False
        self.callbacks = done_type(self._done), closed_type(self._closed)
        check(library.curlicue_multi_add(self.multi, handle, self.callbacks[0], None))

    def _done(self, data, handle, status, message):
        self.status = status

    def _closed(self, data):
        self.closed = True

    def connected(self):
        self.server.settimeout(0)
        try:
            self.client, _ = self.server.accept()
        except BlockingIOError:
            return False
        return True

    def close(self):
        check(library.curlicue_multi_close(self.multi, self.callbacks[1], None))

    def free(self):
        library.curlicue_multi_free(self.multi)
        library.curlicue_easy_free(self.easy)
