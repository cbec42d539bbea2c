// SPDX-License-Identifier: MIT
'use strict';

const MIB = 1024 * 1024;
const longest = 2 ** 31 - 1;

/** A number of 0 or more, but for Infinity no more than `most`. @throws TypeError */
function number(value, name, most) {
    if (value === undefined || value === null)
        return undefined;
    if (typeof value !== 'number' || !(value >= 0))
        throw new TypeError(`${name} must be a number, 0 or more`);
    return Math.min(value, most);
}

function whole(value, name, most = longest) {
    const given = number(value, name, most);
    return given === undefined ? undefined : Math.ceil(given);
}

/** Milliseconds, of which both 0 and Infinity are no limit. */
function time(value, name) {
    return value === Infinity ? 0 : whole(value, name);
}

function priorityOf(value) {
    if (value !== undefined && !Number.isInteger(value))
        throw new TypeError('priority must be a whole number');
    return value;
}

const redirections = ['follow', 'manual', 'error'];

function redirectionOf(value) {
    if (value === undefined)
        return undefined;
    if (!redirections.includes(value))
        throw new TypeError(`redirect must be one of ${redirections.join(', ')}`);
    return redirections.indexOf(value);
}

/**
 * The numbers among the options of `fetch`, as src/request.cpp takes them.
 * @returns undefined if there is none
 * @throws TypeError
 */
function settingsOf(options, keepAlive) {
    const stall = time(options.stallTimeout, 'stallTimeout');
    const settings = [
        time(options.queueTimeout, 'queueTimeout'),
        time(options.connectTimeout, 'connectTimeout'),
        time(options.firstByteTimeout, 'firstByteTimeout') ?? stall,
        stall,
        time(options.timeout, 'timeout'),
        whole(options.highWaterMark, 'highWaterMark', Number.MAX_SAFE_INTEGER),
        priorityOf(options.priority),
        keepAlive ? undefined : 0,
        redirectionOf(options.redirect),
        whole(options.maxRedirects, 'maxRedirects'),
    ];
    return settings.some((one) => one !== undefined) ? settings : undefined;
}

/** Likewise. A number is one of attempts. */
function retriesOf(retry) {
    if (retry === undefined || retry === null)
        return undefined;
    const { attempts, first, most, budget, statuses = [] } = typeof retry === 'number' ? { attempts: retry } : retry;
    return [whole(attempts, 'retry.attempts'), whole(first, 'retry.first'), whole(most, 'retry.most'),
        number(budget, 'retry.budget', longest), ...Array.from(statuses, (one) => whole(one, 'retry.statuses'))];
}

/** How many a Client may have at once. */
function limitsOf({ limits = {}, memory }) {
    return [whole(limits.perOrigin, 'limits.perOrigin'), whole(limits.total, 'limits.total'),
        whole(limits.queue, 'limits.queue'), whole(memory, 'memory', Number.MAX_SAFE_INTEGER)];
}

function maxBodySizeOf({ maxBodySize }) {
    return whole(maxBodySize, 'maxBodySize', Number.MAX_SAFE_INTEGER) ?? 64 * MIB;
}

module.exports = { limitsOf, maxBodySizeOf, retriesOf, settingsOf };
