// SPDX-License-Identifier: MIT
'use strict';

const { Curl } = require('./curl.js');
const { Transfer } = require('./native.js');
const { demandNetwork } = require('./permission.js');
const { Request } = require('./request.js');
const { Response } = require('./response.js');
const { cancelOn } = require('./signal.js');

function transferOf({ multi, url, method, headers, content, times, highWaterMark, tweak, signal }) {
    demandNetwork();
    signal?.throwIfAborted();
    const transfer = new Transfer(multi, url, method, headers, content, times, highWaterMark);
    tweak?.(transfer.curl(Curl), url);
    signal?.throwIfAborted(); // also by `tweak`
    return transfer;
}

/** @returns a promise of the response's head */
function start(transfer, { signal, upload }) {
    if (!signal && !upload)
        return transfer.start();
    let unfollow;
    const head = transfer.start((reason) => {
        unfollow?.();
        upload?.stop(reason);
    });
    unfollow = signal && cancelOn(signal, transfer);
    upload?.send(transfer);
    return head;
}

/**
 * Asks a server and gives its response as soon as its head is there. As the fetch of browsers, but
 * for what only a server needs; index.d.ts says it all.
 */
async function fetch(input, options = {}) {
    const request = new Request(input, options);
    try {
        for (;;) {
            const transfer = transferOf(request);
            const response = new Response(transfer, await start(transfer, request), request);
            if (request.signal?.aborted)
                response.cancel();
            request.signal?.throwIfAborted();
            if (!request.follows(response))
                return response;
            response.cancel();
            request.turnTo(response);
        }
    } catch (error) {
        request.upload?.stop(error);
        throw error;
    }
}

module.exports = { fetch };
