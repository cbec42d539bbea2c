// SPDX-License-Identifier: MIT
'use strict';

const { CurlError } = require('./error.js');
const { flat, forAnotherOrigin, hasHeader, withoutBody } = require('./headers.js');
const { defaultMulti } = require('./multi.js');
const { bodyOf } = require('./upload.js');

const MIB = 1024 * 1024;
const defaultLimits = [0, 30_000, 300_000];

function refused(message) {
    return new CurlError(message, { code: 'CURLICUE_REDIRECT_REFUSED', phase: 'headers' });
}

/** One request of `fetch`, and what becomes of it where the server sends it elsewhere. */
class Request {
    constructor(url, options) {
        this.url = String(url);
        this.method = options.method ?? 'GET';
        this.headers = flat(options.headers);
        this.multi = options.multi ?? defaultMulti();
        this.tweak = options.tweak;
        this.redirect = options.redirect ?? 'follow';
        this.hops = options.maxRedirects ?? 10;
        this.highWaterMark = options.highWaterMark ?? MIB;
        this.maxBodySize = options.maxBodySize ?? 64 * MIB;
        this.limits = limitsOf(options);
        this.redirected = false;
        this.#setBody(options.body);
    }

    #setBody(body) {
        const { content, source, type } = bodyOf(body);
        this.content = content;
        this.source = source;
        if (type && !hasHeader(this.headers, 'content-type'))
            this.headers = [...this.headers ?? [], 'Content-Type', type];
    }

    /** Whether a response with that status is to be followed. @throws CurlError if it may not be */
    follows(response) {
        if (this.redirect === 'manual' || ![301, 302, 303, 307, 308].includes(response.status))
            return false;
        if (!response.headers.has('location'))
            return false;
        if (this.redirect === 'error')
            throw refused('the server redirects, and the request does not allow that');
        if (this.hops-- === 0)
            throw new CurlError('too many redirects',
                { code: 'CURLE_TOO_MANY_REDIRECTS', errno: 47, phase: 'headers' });
        return true;
    }

    /** Turns to where the response says, taking along what is meant for that server. */
    turnTo(response) {
        const from = new URL(this.url);
        const to = new URL(response.headers.get('location'), from);
        if (from.protocol === 'https:' && to.protocol !== 'https:')
            throw refused('the server redirects from https to something that is not');
        if (from.origin !== to.origin)
            this.headers = forAnotherOrigin(this.headers);
        const { status } = response;
        if (status === 303 ? this.method !== 'HEAD' : status < 303 && this.method === 'POST') {
            this.method = 'GET';
            this.content = this.source = undefined;
            this.headers = withoutBody(this.headers);
        }
        if (this.source)
            throw refused('the server redirects an upload that cannot be sent again');
        this.url = to.href;
        this.redirected = true;
    }
}

function limitsOf({ timeout, connectTimeout, stallTimeout }) {
    if (timeout === undefined && connectTimeout === undefined && stallTimeout === undefined)
        return defaultLimits;
    return [timeout, connectTimeout, stallTimeout].map((time, i) => time ?? defaultLimits[i]);
}

module.exports = { Request };
