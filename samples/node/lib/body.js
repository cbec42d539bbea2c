// SPDX-License-Identifier: MIT
'use strict';

const { isDisturbed } = require('node:stream');

const isBytes = (body) => ArrayBuffer.isView(body) || body instanceof ArrayBuffer;

/** Of a form or a Blob, which Node encodes. */
function encodedOf(body) {
    const { body: source, headers } = new globalThis.Response(body);
    return { source, size: body.size, type: headers.get('content-type') };
}

/**
 * A body as the addon takes it: `content`, a string or bytes, or the `source` that brings it piece by
 * piece; its size in bytes, where that is known; and the type that it has if nobody says otherwise.
 * @throws TypeError
 */
function bodyOf(body, method) {
    if (body === undefined || body === null)
        return { size: 0 };
    if (method === 'GET' || method === 'HEAD')
        throw new TypeError(`a request by ${method} has no body`);
    if (typeof body === 'string')
        return { content: body, size: Buffer.byteLength(body), type: 'text/plain;charset=UTF-8' };
    if (isBytes(body))
        return { content: body, size: body.byteLength };
    if (body instanceof URLSearchParams)
        return { ...bodyOf(String(body), method), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
    if (body instanceof FormData || body instanceof Blob)
        return encodedOf(body);
    if (typeof body !== 'object' || !(body[Symbol.asyncIterator] || body[Symbol.iterator]))
        throw new TypeError('body must be a string, bytes, a form, a Blob, or an iterable of bytes');
    if (body.locked || isDisturbed(body))
        throw new TypeError('body has been read, or is being read');
    return { source: body };
}

module.exports = { bodyOf };
