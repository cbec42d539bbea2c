// SPDX-License-Identifier: MIT
'use strict';

const MIB = 1024 * 1024;
const longest = 2 ** 31 - 1; // milliseconds: all that libcurl has room for

/** @throws TypeError */
function atLeastZero(value, name, standard) {
    if (value === undefined || value === null)
        return standard;
    if (typeof value !== 'number' || !(value >= 0))
        throw new TypeError(`${name} must be a number, 0 or more`);
    return value;
}

function bytes(value, name, standard) {
    return Math.min(atLeastZero(value, name, standard), Number.MAX_SAFE_INTEGER);
}

/** Milliseconds, of which both 0 and Infinity are no limit; `none` is how libcurl calls that. */
function time(value, name, standard, none = 0) {
    const limit = atLeastZero(value, name, standard);
    return limit === 0 || limit === Infinity ? none : Math.min(limit, longest);
}

/** The numbers among the options of `fetch`. @throws TypeError */
function limitsOf(options) {
    return {
        times: [
            time(options.timeout, 'timeout', 0),
            time(options.connectTimeout, 'connectTimeout', 30_000, longest), // 0 is libcurl's default
            time(options.stallTimeout, 'stallTimeout', 300_000),
        ],
        hops: atLeastZero(options.maxRedirects, 'maxRedirects', 10),
        highWaterMark: bytes(options.highWaterMark, 'highWaterMark', MIB),
        maxBodySize: bytes(options.maxBodySize, 'maxBodySize', 64 * MIB),
    };
}

module.exports = { limitsOf };
