// SPDX-License-Identifier: MIT
'use strict';

const { Curl, Transfer } = require('./native.js');
const { Request } = require('./request.js');
const { Response } = require('./response.js');
const { cancelOn } = require('./signal.js');
const { upload } = require('./upload.js');

async function responseTo(request) {
    const { multi, url, method, headers, content, limits, highWaterMark, signal } = request;
    const transfer = new Transfer(multi, url, method, headers, content, limits, highWaterMark);
    request.tweak?.(transfer.curl(Curl));
    const started = transfer.start();
    const settled = signal && cancelOn(signal, transfer);
    if (request.source)
        upload(transfer, request.source);
    try {
        return new Response(transfer, await started, request, settled);
    } catch (error) {
        settled?.();
        throw error;
    }
}

/**
 * Asks a server and gives its response as soon as its head is there. As the fetch of browsers, but
 * for what only a server needs; index.d.ts says it all.
 */
async function fetch(url, options = {}) {
    options.signal?.throwIfAborted();
    const request = new Request(url, options);
    for (;;) {
        const response = await responseTo(request);
        if (!request.follows(response))
            return response;
        response.cancel();
        request.turnTo(response);
    }
}

module.exports = { fetch };
