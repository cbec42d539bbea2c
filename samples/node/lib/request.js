// SPDX-License-Identifier: MIT
'use strict';

const { bodyOf } = require('./body.js');
const { CurlError } = require('./error.js');
const { forAnotherOrigin, hasHeader, headersOf, isToken, withoutBody } = require('./headers.js');
const { limitsOf } = require('./limits.js');
const { defaultMulti } = require('./multi.js');
const { Upload } = require('./upload.js');
const { redirectOf, sent, shown, urlOf } = require('./url.js');

const redirections = ['follow', 'manual', 'error'];

function refused(message) {
    return new CurlError(message, { code: 'CURLICUE_REDIRECT_REFUSED', phase: 'headers' });
}

// Also one of another realm, or of the package undici.
const isRequest = (input) => Object.prototype.toString.call(input) === '[object Request]';

/** The options, and for those that are not given what the Request has, as `new Request` does. */
function optionsOf(input, options) {
    if (options === null || typeof options !== 'object')
        throw new TypeError('the options of fetch must be an object');
    if (!isRequest(input))
        return options;
    const { method = input.method, headers = input.headers, redirect = input.redirect,
        signal = input.signal } = options;
    return { ...options, method, headers, redirect, signal, body: options.body ?? input.body };
}

function methodOf(given = 'GET') {
    const method = String(given);
    const upper = method.toUpperCase();
    if (!isToken(method))
        throw new TypeError('the method has characters that none may have');
    if (['CONNECT', 'TRACE', 'TRACK'].includes(upper))
        throw new TypeError(`method ${upper} is not for fetch`);
    return ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'].includes(upper) ? upper : method;
}

function signalOf(signal = null) {
    if (signal !== null && (typeof signal.aborted !== 'boolean' || typeof signal.addEventListener !== 'function'))
        throw new TypeError('signal must be an AbortSignal');
    return signal;
}

function redirectionOf(redirect = 'follow') {
    if (!redirections.includes(redirect))
        throw new TypeError(`redirect must be one of ${redirections.join(', ')}`);
    return redirect;
}

/** One request of `fetch`, and what becomes of it where the server sends it elsewhere. */
class Request {
    /** @throws TypeError */
    constructor(input, given) {
        const options = optionsOf(input, given);
        Object.assign(this, limitsOf(options));
        this.to = urlOf(isRequest(input) ? input.url : input);
        this.method = methodOf(options.method);
        this.signal = signalOf(options.signal);
        this.redirect = redirectionOf(options.redirect);
        this.tweak = options.tweak;
        this.tweakAllHops = options.tweakAllHops;
        this.multi = options.multi ?? defaultMulti();
        this.redirected = false;
        this.#setBody(options);
    }

    #setBody(options) {
        const { headers, length } = headersOf(options.headers);
        const { content, source, size = length, type } = bodyOf(options.body, this.method);
        if (length !== undefined && length !== size)
            throw new TypeError('content-length is not the size of the body');
        this.content = source ? size ?? true : content;
        this.headers = type && !hasHeader(headers, 'content-type') ? [...headers ?? [], 'Content-Type', type] : headers;
        this.upload = source && new Upload(source, size);
    }

    get url() {
        return sent(this.to);
    }

    get shownUrl() {
        return shown(this.to);
    }

    /** Whether a response with that status is to be followed. @throws CurlError if it may not be */
    follows(response) {
        if (this.redirect === 'manual' || ![301, 302, 303, 307, 308].includes(response.status))
            return false;
        if (!response.headers.has('location'))
            return false;
        if (this.redirect === 'error')
            throw refused('the server redirects, and the request does not allow that');
        if (this.hops-- < 1)
            throw new CurlError('too many redirects',
                { code: 'CURLE_TOO_MANY_REDIRECTS', errno: 47, phase: 'headers' });
        return true;
    }

    /**
     * Turns to where the response says, taking along what is meant for that server.
     * @throws CurlError if that may not be
     */
    turnTo({ headers, status }) {
        const to = redirectOf(headers.get('location'), this.to);
        if (this.to.origin !== to.origin)
            this.#leaveOrigin();
        if (status === 303 ? this.method !== 'HEAD' : status < 303 && this.method === 'POST') {
            this.method = 'GET';
            this.content = this.upload = undefined;
            this.headers = withoutBody(this.headers);
        }
        if (this.upload)
            throw refused('the server redirects an upload that cannot be sent again');
        this.to = to;
        this.redirected = true;
    }

    // For good: the other server may lead back, and to where it likes.
    #leaveOrigin() {
        this.headers = forAnotherOrigin(this.headers);
        if (!this.tweakAllHops)
            this.tweak = undefined;
    }
}

module.exports = { Request };
