// SPDX-License-Identifier: MIT
'use strict';

// Where a message ends is ours to say (RFC 9112, 6): these and more the addon refuses.
const once = new Set(['connection', 'content-length', 'expect', 'host']);

function pairsOf(headers) {
    if (headers === null || typeof headers !== 'object')
        throw new TypeError('headers must be a Headers, an object, or pairs of a name and a value');
    if (typeof headers[Symbol.iterator] !== 'function')
        return Object.entries(headers);
    return Array.from(headers, (pair) => {
        const both = typeof pair === 'object' && pair !== null ? [...pair] : [];
        if (both.length !== 2)
            throw new TypeError('each of the headers must be a pair of a name and a value');
        return both;
    });
}

function latin1Of(given) {
    const text = `${given}`;
    if (/[^\0-\xff]/.test(text))
        throw new TypeError('a header has characters beyond Latin-1');
    return text;
}

/** Without the blanks around it. What else it may not have the addon knows. */
function trimmed(value) {
    let begin = 0, end = value.length;
    while (end > begin && '\t\n\r '.includes(value[end - 1]))
        --end;
    while (begin < end && '\t\n\r '.includes(value[begin]))
        ++begin;
    return value.slice(begin, end);
}

function lengthOf(value) {
    const length = Number(value ?? NaN);
    if (value !== undefined && (!/^\d+$/.test(value) || !Number.isSafeInteger(length)))
        throw new TypeError('header content-length must be a number of bytes');
    return value === undefined ? undefined : length;
}

function keepsAlive(seen) {
    const kept = seen.get('connection')?.toLowerCase() ?? 'keep-alive';
    if (seen.has('expect') || (kept !== 'close' && kept !== 'keep-alive'))
        throw new TypeError('expect and connection are fetch\'s own to say, but for connection: close or keep-alive');
    return kept !== 'close';
}

/**
 * Takes whatever `new Headers` takes.
 * @returns {{ headers?: string[], length?: number, keepAlive: boolean }} names and values in turn, how
 *     long they say that the body is, and whether the connection is for others too
 * @throws TypeError as that does, and for what is fetch's own to say
 */
function headersOf(given) {
    if (given === undefined)
        return { keepAlive: true };
    const headers = [];
    const seen = new Map();
    for (const [any, anyValue] of pairsOf(given)) {
        const name = latin1Of(any), value = trimmed(latin1Of(anyValue));
        const lower = name.toLowerCase();
        if (once.has(lower) && seen.size === seen.set(lower, value).size)
            throw new TypeError(`header ${lower} is given twice`);
        if (!once.has(lower) || lower === 'host')
            headers.push(name, value);
    }
    return { headers, length: lengthOf(seen.get('content-length')), keepAlive: keepsAlive(seen) };
}

function hasHeader(headers, wanted) {
    return headers?.some((name, index) => index % 2 === 0 && name.toLowerCase() === wanted) ?? false;
}

module.exports = { headersOf, hasHeader };
