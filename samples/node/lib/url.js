// SPDX-License-Identifier: MIT
'use strict';

const { CurlError } = require('./error.js');

// Strings are read by `URL` alone, and libcurl gets what that has written: libcurl's own parser takes
// some of them for another server.

const isWeb = ({ protocol }) => protocol === 'http:' || protocol === 'https:';

function parsed(text, base) {
    try {
        return new URL(text, base);
    } catch {
        return undefined; // what URL throws holds the text, and with it what is secret there
    }
}

/** @throws TypeError if it is not of http or https, or no URL at all */
function urlOf(input) {
    const url = parsed(String(input));
    if (!url)
        throw new TypeError('not a URL, or one without a scheme');
    if (!isWeb(url))
        throw new TypeError('the URL must be one of http or https');
    return url;
}

/**
 * Where a response leads, whose header `location` was read as Latin-1; whether it may go there is for the
 * addon to say. Called by that.
 */
function redirectOf(from, location) {
    const to = parsed(Buffer.from(location, 'latin1').toString(), from);
    const refuse = (message, code, errno) => {
        throw new CurlError(message, { code, errno, phase: 'url' });
    };
    if (!to)
        refuse('the server redirects to what is no URL', 'CURLE_URL_MALFORMAT', 3);
    if (!isWeb(to))
        refuse('the server redirects to another protocol', 'CURLE_UNSUPPORTED_PROTOCOL', 1);
    return sent(to);
}

/** As libcurl gets it: a fragment is not sent. */
function sent({ href }) {
    const end = href.indexOf('#');
    return end === -1 ? href : href.slice(0, end);
}

module.exports = { urlOf, redirectOf, sent };
