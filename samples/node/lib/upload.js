// SPDX-License-Identifier: MIT
'use strict';

const isBytes = (body) => ArrayBuffer.isView(body) || body instanceof ArrayBuffer;

/**
 * A body as the addon takes it: `content`, a string or bytes, or true for what `source` brings piece
 * by piece; and the type that it has if nobody says otherwise.
 */
function bodyOf(body) {
    if (body === undefined || body === null)
        return { content: undefined };
    if (typeof body === 'string')
        return { content: body, type: 'text/plain;charset=UTF-8' };
    if (isBytes(body))
        return { content: body };
    if (body instanceof URLSearchParams || body instanceof FormData || body instanceof Blob) {
        const encoded = new globalThis.Response(body); // Node knows how
        return { content: true, source: encoded.body, type: encoded.headers.get('content-type') };
    }
    if (body[Symbol.asyncIterator] || body[Symbol.iterator])
        return { content: true, source: body };
    throw new TypeError('body must be a string, bytes, a form, a Blob, or an iterable of bytes');
}

/**
 * Writes what `source` brings, no faster than it goes out. What it throws is what the transfer fails
 * with.
 */
async function upload(transfer, source) {
    try {
        for await (const chunk of source)
            if (!transfer.write(chunk) && !await transfer.drained())
                return;
        transfer.end();
    } catch (error) {
        transfer.cancel(error);
    }
}

module.exports = { bodyOf, upload };
