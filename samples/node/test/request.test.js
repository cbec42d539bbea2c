// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { inspect } = require('node:util');
const { after, before, beforeEach, describe, test } = require('node:test');
const { fetch } = require('..');
const { listener } = require('./support/server.js');

const rejectedAtOnce = (url, options) => assert.rejects(fetch(url, options), TypeError, inspect(options ?? url));

describe('A URL', () => {
    let server;
    before(async () => server = await listener());
    beforeEach(() => server.heads.length = 0);
    after(() => server.stop());

    test('is read by URL alone, and that server is asked', async () => {
        for (const text of [
            `http://127.1:${server.port}/short`,
            `http://0x7f.0.0.1:${server.port}/hexadecimal`,
            `http:\\\\127.0.0.1:${server.port}\\back\\slash`,
            `HTTP:127.0.0.1:${server.port}/no-slashes`,
            ` \thttp://127.0.\n0.1:${server.port}/bl\tanks\r\n`,
            `http://LocalHost:0${server.port}`,
            `http://127.0.0.1:${server.port}/a/%2e%2e/./b/{c}|d?e=\\'f'#g`,
            new URL(`http://127.0.0.1:${server.port}/ü?ü`),
        ]) {
            const { host, pathname, search } = new URL(text);
            const response = await fetch(text);
            assert.equal(await response.text(), 'ok');
            assert.equal(response.url, `http://${host}${pathname}${search}`);
            const [line, ...headers] = server.heads.pop().split('\r\n');
            assert.equal(line, `GET ${pathname}${search} HTTP/1.1`);
            assert.ok(headers.includes(`Host: ${host}`), host);
        }
    });

    test('without a scheme, or of another than http and https, is a TypeError', async () => {
        for (const url of ['nonsense', '', '/there', '//127.0.0.1/', '127.0.0.1:80', 'http://', 'http://[/',
            'http://a b/', 'file:///etc/hostname', 'ftp://127.0.0.1/', 'data:,a', undefined, 1, Symbol('url')])
            await rejectedAtOnce(url);
        const error = await fetch('http://secret@[/secret').catch((failure) => failure);
        assert.doesNotMatch(inspect(error), /secret/);
    });

    test('tells its user and password to its server, and to no other request', async () => {
        const response = await fetch(`http://us%40er:pass@127.0.0.1:${server.port}/a?b#c`);
        await response.text();
        assert.equal(response.url, `${server.url}/a?b`);
        const { connections } = server;
        await (await fetch(server.url)).text();
        assert.ok(server.heads[0].includes(`\r\nAuthorization: Basic ${btoa('us@er:pass')}\r\n`));
        assert.doesNotMatch(server.heads[1], /authorization/i);
        assert.equal(server.connections, connections);
    });

    test('that a server redirects to is read the same way', async () => {
        for (const [location, path] of [
            ['/a/%2e%2e/b', '/b'], ['\\back\\slash', '/back/slash'], ['/bl\tanks', '/blanks'],
            ['?query#fragment', '/from/?query'], ['/Ã¼', '/%C3%BC'], [`//127.1:${server.port}/short`, '/short'],
            [`http:\\\\127.0.0.1:${server.port}\\there`, '/there'],
        ]) {
            const from = await listener((head) => head.startsWith('GET /from/ ')
                ? `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`
                : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
            await (await fetch(`${from.url}/from/`)).text();
            const there = [...from.heads, ...server.heads].at(-1);
            assert.ok(there.startsWith(`GET ${path} `), there);
            await from.stop();
            server.heads.length = 0;
        }
    });

    test('that a server redirects to may be none', async () => {
        for (const [location, code] of [['http://secret@[/', 'CURLE_URL_MALFORMAT'], ['http://', 'CURLE_URL_MALFORMAT'],
            ['about:blank', 'CURLE_UNSUPPORTED_PROTOCOL']]) {
            const from = await listener(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`);
            const error = await fetch(from.url).catch((failure) => failure);
            assert.deepEqual([error.code, error.phase], [code, 'url']);
            assert.doesNotMatch(inspect(error), /secret/);
            await from.stop();
        }
    });
});

describe('An argument', () => {
    let server;
    before(async () => server = await listener());
    after(() => server.stop());

    test('that cannot be right is a TypeError before anything is sent', async () => {
        const read = new ReadableStream();
        read.getReader();
        for (const options of [
            { timeout: NaN }, { timeout: -1 }, { timeout: '5' }, { connectTimeout: -1 }, { stallTimeout: -1 },
            { maxRedirects: NaN }, { maxRedirects: -1 }, { highWaterMark: -1 }, { maxBodySize: NaN },
            { signal: 1 }, { signal: {} }, { signal: 'abort' }, { redirect: 'maybe' }, { tweak: 1 }, { multi: {} },
            { method: '' }, { method: 'G T' }, { method: 'GÉT' }, { method: 'connect' }, { method: 'TRACE' },
            { method: 'TRACK' }, { body: 'a' }, { method: 'get', body: '' }, { method: 'HEAD', body: 'a' },
            ...[5, true, {}, Symbol('a'), () => {}, new Date(), read]
                .map((body) => ({ method: 'POST', body })),
            ...[null, 'a: b', 5, [['a']], [['a', 'b', 'c']], ['ab'], { 'a b': 'c' }, { '': 'c' }, { 'ä': 'c' },
                { a: 'b\nc' }, { a: 'b\0c' }, { a: 'b\rc' }, { a: '\u0100' }, { a: Symbol('b') }]
                .map((headers) => ({ headers })),
        ])
            await rejectedAtOnce(server.url, options);
        for (const options of [null, 1, 'GET'])
            await rejectedAtOnce(server.url, options);
        assert.equal(server.connections, 0);
    });

    test('may be no limit, or none at all', async () => {
        for (const options of [
            undefined, {}, { timeout: Infinity, connectTimeout: Infinity, stallTimeout: Infinity },
            { timeout: 0, connectTimeout: 0, stallTimeout: 0 }, { timeout: 1e300, connectTimeout: 1e300 },
            { maxBodySize: Infinity, highWaterMark: Infinity, maxRedirects: Infinity }, { signal: null, body: null },
        ])
            assert.equal(await (await fetch(server.url, options)).text(), 'ok');
    });

    test('is normal as that of fetch elsewhere', async () => {
        server.heads.length = 0;
        await (await fetch(server.url, { method: 'options', headers: { 'X-A': ' \tß ', 'X-B': '\r\n' } })).text();
        await (await fetch(server.url, { method: 'patch' })).text();
        assert.match(server.heads[0], /^OPTIONS \/ /);
        assert.match(server.heads[0], /\r\nX-A: ß\r\nX-B:\r\n/);
        assert.match(server.heads[1], /^patch \/ /);
    });
});

describe('A Request', () => {
    let server;
    before(async () => server = await listener());
    beforeEach(() => server.heads.length = 0);
    after(() => server.stop());

    test('is what is sent', async () => {
        await (await fetch(new Request(`${server.url}/a#b`, { headers: { 'X-A': 'b' } }))).text();
        assert.match(server.heads[0], /^GET \/a /);
        assert.match(server.heads[0], /\r\nx-a: b\r\n/i);
    });

    test('brings its body, once', async () => {
        const request = new Request(server.url, { method: 'PUT', body: new URLSearchParams({ a: 'b' }) });
        await (await fetch(request)).text();
        const all = server.heads.join('');
        assert.match(all, /^PUT \//);
        assert.match(all, /\r\ncontent-type: application\/x-www-form-urlencoded;charset=UTF-8\r\n/i);
        assert.match(all, /a=b/);
        assert.equal(request.bodyUsed, true);
        await rejectedAtOnce(request);
    });

    test('gives way to the options', async () => {
        const request = new Request(server.url, { method: 'POST', headers: { 'X-A': 'b' }, body: 'a' });
        await (await fetch(request, { method: 'PUT', headers: { 'X-C': 'd' }, body: 'c' })).text();
        assert.match(server.heads[0], /^PUT \//);
        assert.match(server.heads[0], /\r\nX-C: d\r\n/);
        assert.doesNotMatch(server.heads[0], /x-a/i);
        assert.match(server.heads[0], /\r\n\r\nc$/);
        assert.equal(request.bodyUsed, false);
    });

    test('is ended by its signal', async () => {
        const aborter = new AbortController();
        const silent = await listener(() => {
            aborter.abort(new Error('enough'));
            return '';
        });
        await assert.rejects(fetch(new Request(silent.url, { signal: aborter.signal })), { message: 'enough' });
        await silent.gone(1);
        await silent.stop();
    });
});
