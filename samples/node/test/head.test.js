// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { fetch } = require('..');
const { listener } = require('./support/server.js');

const end = 'Content-Length: 0\r\n\r\n';

describe('A head', () => {
    for (const [name, head, statusText, headers] of [
        ['with a folded line', `HTTP/1.1 200 OK\r\nX-A: one\r\n  two\r\n\tthree\r\nX-B: b\r\n${end}`, 'OK',
            { 'x-a': /^one +two +three$/, 'x-b': /^b$/ }],
        ['with blanks before the colon', `HTTP/1.1 200 OK\r\nX-A : a\r\nX-B \t:b\r\n${end}`, 'OK',
            { 'x-a': /^a$/, 'x-b': /^b$/ }],
        ['with bare line feeds', 'HTTP/1.1 200 All Right\nX-A: a\nX-B:\n b\nContent-Length: 0\n\n', 'All Right',
            { 'x-a': /^a$/, 'x-b': /^b$/ }],
        ['with names that are none', `HTTP/1.1 200 OK\r\nX A: a\r\n(): b\r\nn\xE4me: c\r\nX-A: d\r\n${end}`, 'OK',
            { 'x-a': /^d$/ }],
        ['with a carriage return in a value', `HTTP/1.1 200 OK\r\nX-A: a\rX-B: b\r\n${end}`, 'OK',
            { 'x-a': /^a X-B: b$/, 'x-b': null }],
        ['in Latin-1 or UTF-8', `HTTP/1.1 200 \xDCber\r\nX-A: \xFC\r\nX-B: voil\xC3\xA0\r\n${end}`, '\xDCber',
            { 'x-a': /^\xFC$/, 'x-b': /^voil\xC3\xA0$/ }],
        ['with empty values', `HTTP/1.1 200 OK\r\nX-A:\r\nX-B: \t \r\n${end}`, 'OK', { 'x-a': /^$/, 'x-b': /^$/ }],
        ['without a reason', `HTTP/1.1 200\r\nX-A: a\r\n${end}`, '', { 'x-a': /^a$/ }],
        ['with an empty reason', `HTTP/1.1 200 \r\nX-A: a\r\n${end}`, '', { 'x-a': /^a$/ }],
        ['after others that promise it', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-A: no\r\n\r\n` +
            `HTTP/1.1 200 OK\r\nX-B: b\r\n${end}`, 'OK', { 'x-a': null, 'x-b': /^b$/ }],
        ['after a short one', `HTTP/1.1 102 \n\nHTTP/1.1 200 OK\r\nX-B: b\r\n${end}`, 'OK', { 'x-b': /^b$/ }],
        ['with a line like another head\'s', `HTTP/1.1 200 OK\r\nX-A: a\r\nHTTP/1.1 500: no\r\nX-B: b\r\n${end}`, 'OK',
            { 'x-a': /^a$/, 'x-b': /^b$/ }],
    ]) {
        test(`${name} is read as it is meant`, async () => {
            const server = await listener(head);
            const response = await fetch(server.url);
            assert.equal(response.status, 200);
            assert.equal(response.statusText, statusText);
            assert.equal(response.httpVersion, '1.1');
            for (const [header, value] of Object.entries(headers))
                assert.match(String(response.headers.get(header)), value ?? /^null$/);
            assert.equal(response.headers.get('content-length'), '0');
            assert.equal(await response.text(), '');
            await server.stop();
        });
    }

    test('may set as many cookies as it likes', async () => {
        const cookies = Array.from({ length: 100 }, (_, i) => `name${i}=value; Expires=Thu, 01 Jan 2026 00:00:00 GMT`);
        const lines = cookies.map((one) => `Set-Cookie: ${one}\r\n`);
        const server = await listener(`HTTP/1.1 200 OK\r\n${lines.join('')}${end}`);
        assert.deepEqual((await fetch(server.url)).headers.getSetCookie(), cookies);
        await server.stop();
    });

    test('is not that of the trailers', async () => {
        const server = await listener('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n' +
            '2\r\nok\r\n0\r\nX-A: a\r\nHTTP/1.1 500 X: no\r\n\r\n');
        const response = await fetch(server.url);
        assert.equal(response.status, 200);
        assert.equal(await response.text(), 'ok');
        assert.equal(response.headers.has('x-a'), false);
        await server.stop();
    });

    test('that never comes is an error, whatever came instead', async () => {
        const server = await listener('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
        const ended = fetch(server.url);
        while (server.heads.length === 0)
            await new Promise(setImmediate);
        await server.stop();
        await assert.rejects(ended, { name: 'CurlError' });
    });
});
