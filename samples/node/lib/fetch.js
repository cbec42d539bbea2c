// SPDX-License-Identifier: MIT
'use strict';

const { Curl, Transfer } = require('./native.js');
const { Request } = require('./request.js');
const { Response } = require('./response.js');
const { cancelOn } = require('./signal.js');
const { upload } = require('./upload.js');

function transferOf({ multi, url, method, headers, content, limits, highWaterMark, tweak }) {
    const transfer = new Transfer(multi, url, method, headers, content, limits, highWaterMark);
    tweak?.(transfer.curl(Curl));
    return transfer;
}

/**
 * Asks a server and gives its response as soon as its head is there. As the fetch of browsers, but
 * for what only a server needs; index.d.ts says it all.
 */
async function fetch(url, options = {}) {
    const { signal } = options;
    signal?.throwIfAborted();
    const request = new Request(url, options);
    for (;;) {
        const transfer = transferOf(request);
        const head = transfer.start();
        const settled = signal && cancelOn(signal, transfer);
        if (request.source)
            upload(transfer, request.source);
        let response;
        try {
            response = new Response(transfer, await head, request, settled);
        } catch (error) {
            settled?.();
            throw error;
        }
        if (!request.follows(response))
            return response;
        response.cancel();
        request.turnTo(response);
    }
}

module.exports = { fetch };
