// SPDX-License-Identifier: MIT
'use strict';

// What says nothing of who asks, nor about a body: it may go to another server.
const harmless = new Set(['accept', 'accept-language', 'user-agent']);

/** Whatever `new Headers` takes, as names and values in turn. */
function flat(headers) {
    if (headers === undefined)
        return undefined;
    const pairs = typeof headers[Symbol.iterator] === 'function' ? [...headers] : Object.entries(headers);
    return pairs.flatMap(([name, value]) => [name, String(value)]);
}

function filtered(headers, wanted) {
    return headers?.filter((_, index) => wanted(headers[index - index % 2].toLowerCase()));
}

const forAnotherOrigin = (headers) => filtered(headers, (name) => harmless.has(name));
const withoutBody = (headers) => filtered(headers, (name) => !name.startsWith('content-'));

function hasHeader(headers, wanted) {
    return filtered(headers, (name) => name === wanted)?.length > 0;
}

module.exports = { flat, forAnotherOrigin, withoutBody, hasHeader };
