// SPDX-License-Identifier: MIT
'use strict';

// RFC 9110, 5.6.2.
const isToken = (text) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);

// Where a message ends is ours to say (RFC 9112, 6), and so is what is meant for the next hop alone
// (RFC 9110, 7.6.1). Besides these there are content-length and connection, and all of a proxy's.
const ours = new Set(['expect', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);
const once = new Set(['connection', 'content-length', 'host']);

// What says nothing of who asks: it may go to another server.
const harmless = new Set(['accept', 'accept-language', 'content-type', 'user-agent']);

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

/** Without the blanks around it. @throws TypeError as `new Headers` does */
function valueOf(name, given) {
    const value = `${given}`.replace(/^[\t\n\r ]+/, '');
    let end = value.length;
    while (end > 0 && '\t\n\r '.includes(value[end - 1]))
        --end;
    if (/[\0\r\n]/.test(value.slice(0, end)))
        throw new TypeError(`the value of header ${name} has a line break or NUL in it`);
    if (/[^\0-\xff]/.test(value))
        throw new TypeError(`the value of header ${name} has characters beyond Latin-1`);
    return value.slice(0, end);
}

function connectionOf(value) {
    const kept = value.toLowerCase();
    if (kept !== 'close' && kept !== 'keep-alive')
        throw new TypeError('header connection may be close or keep-alive, for all else is fetch\'s own to say');
    return kept === 'close' ? ['Connection', kept] : [];
}

function lengthOf(value) {
    const length = Number(value);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(length))
        throw new TypeError('header content-length must be a number of bytes');
    return length;
}

/**
 * Takes whatever `new Headers` takes.
 * @returns {{ headers?: string[], length?: number }} names and values in turn, and how long they say
 *     that the body is
 * @throws TypeError as that does, and for what is fetch's own to say
 */
function headersOf(given) {
    if (given === undefined)
        return {};
    const headers = [];
    const seen = new Set();
    let length;
    for (const [name, any] of pairsOf(given)) {
        if (!isToken(name))
            throw new TypeError('a header\'s name has characters that none may have');
        const value = valueOf(name, any);
        const lower = name.toLowerCase();
        if (ours.has(lower) || lower.startsWith('proxy-'))
            throw new TypeError(`header ${name} is fetch's own to say`);
        if (once.has(lower) && seen.size === seen.add(lower).size)
            throw new TypeError(`header ${name} is given twice`);
        if (lower === 'content-length')
            length = lengthOf(value);
        else
            headers.push(...(lower === 'connection' ? connectionOf(value) : [name, value]));
    }
    return { headers, length };
}

function filtered(headers, wanted) {
    return headers?.filter((_, index) => wanted(headers[index - index % 2].toLowerCase()));
}

const forAnotherOrigin = (headers) => filtered(headers, (name) => harmless.has(name));
const withoutBody = (headers) => filtered(headers, (name) => !name.startsWith('content-'));

function hasHeader(headers, wanted) {
    return filtered(headers, (name) => name === wanted)?.length > 0;
}

module.exports = { isToken, headersOf, forAnotherOrigin, withoutBody, hasHeader };
