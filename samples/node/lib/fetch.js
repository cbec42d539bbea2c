// SPDX-License-Identifier: MIT
'use strict';

const { Curl } = require('./curl.js');
const { clientOf, defaultMulti } = require('./multi.js');
const { Transfer } = require('./native.js');
const { demandNetwork } = require('./permission.js');
const { Request } = require('./request.js');
const { Response } = require('./response.js');
const { cancelOn } = require('./signal.js');
const { Upload } = require('./upload.js');

/** @returns a promise of the response's status */
function start(transfer, { signal, tweak, tweakAllHops, allowAddress }, upload) {
    if (tweak)
        Object.assign(transfer, { Curl, tweak });
    if (typeof allowAddress === 'function')
        transfer.allow = allowAddress;
    let unfollow;
    if (signal || upload)
        transfer.over = (reason) => {
            unfollow?.();
            upload?.stop(reason);
        };
    const head = transfer.start(Boolean(tweak), tweakAllHops, Boolean(transfer.allow), allowAddress === 'public',
        Boolean(transfer.over));
    if (signal?.aborted) // by `tweak`
        transfer.cancel(signal.reason);
    else
        unfollow = signal && cancelOn(signal, transfer);
    upload?.send(transfer);
    return head;
}

/** `fetch` by a client of the addon's, or by that of the multi which the options name. */
async function fetchBy(client, input, options) {
    const request = new Request(input, options);
    const { signal } = request;
    const upload = request.source && new Upload(request.source, request.size);
    let transfer;
    try {
        demandNetwork();
        signal?.throwIfAborted();
        transfer = new Transfer(client ?? clientOf(options.multi ?? defaultMulti()), request.url, request.method,
            request.headers, request.content, request.settings, request.retries);
        const status = await start(transfer, request, upload);
        signal?.throwIfAborted();
        return new Response(transfer, status, request.maxBodySize);
    } catch (error) {
        transfer?.cancel(error);
        transfer?.over?.(error);
        upload?.stop(error);
        throw error;
    }
}

/**
 * Asks a server and gives its response as soon as its head is there. As the fetch of browsers, but
 * for what only a server needs; index.d.ts says it all.
 */
function fetch(input, options = {}) {
    return fetchBy(undefined, input, options);
}

module.exports = { fetch, fetchBy };
