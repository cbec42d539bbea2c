// SPDX-License-Identifier: MIT
'use strict';

const { bodyOf } = require('./body.js');
const { hasHeader, headersOf } = require('./headers.js');
const { maxBodySizeOf, retriesOf, settingsOf } = require('./settings.js');
const { sent, urlOf } = require('./url.js');

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
    if (['', 'CONNECT', 'TRACE', 'TRACK'].includes(upper))
        throw new TypeError(`method ${upper} is not for fetch`);
    return ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'].includes(upper) ? upper : method;
}

function signalOf(signal = null) {
    if (signal !== null && (typeof signal.aborted !== 'boolean' || typeof signal.addEventListener !== 'function'))
        throw new TypeError('signal must be an AbortSignal');
    return signal;
}

function tweakOf(tweak) {
    if (tweak !== undefined && tweak !== null && typeof tweak !== 'function')
        throw new TypeError('tweak must be a function');
    return tweak;
}

/** @returns a function that tells of an address whether it may be asked, or undefined for any */
function guardOf(allowAddress) {
    if (!['function', 'undefined'].includes(typeof allowAddress) && allowAddress !== 'public')
        throw new TypeError('allowAddress must be a function, or "public"');
    return allowAddress;
}

/** One request of `fetch`, as the addon takes it. */
class Request {
    /** @throws TypeError */
    constructor(input, given) {
        const options = optionsOf(input, given);
        const { headers, length, keepAlive } = headersOf(options.headers);
        this.url = sent(urlOf(isRequest(input) ? input.url : input));
        this.method = methodOf(options.method);
        this.signal = signalOf(options.signal);
        this.tweak = tweakOf(options.tweak);
        this.tweakAllHops = Boolean(options.tweakAllHops);
        this.allowAddress = guardOf(options.allowAddress);
        this.settings = settingsOf(options, keepAlive);
        this.retries = retriesOf(options.retry);
        this.maxBodySize = maxBodySizeOf(options);
        this.#setBody(bodyOf(options.body, this.method), headers, length);
    }

    #setBody({ content, source, size, type }, headers, length = size) {
        if (length !== (size ?? length))
            throw new TypeError('content-length is not the size of the body');
        this.source = source;
        this.size = length;
        this.content = source ? length ?? true : content;
        this.headers = type && !hasHeader(headers, 'content-type') ? [...headers ?? [], 'Content-Type', type] : headers;
    }
}

module.exports = { Request };
