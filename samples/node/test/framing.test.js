// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const { once } = require('node:events');
const { after, before, beforeEach, describe, test } = require('node:test');
const { fetch } = require('..');
const { listener } = require('./support/server.js');

describe('Where a message ends', () => {
    let server, url, requests;
    // What Node's server makes of it: it is strict.
    before(async () => {
        server = http.createServer(async (request, response) => {
            const seen = { head: request.headers, raw: request.rawHeaders };
            requests.push(seen);
            try {
                seen.body = Buffer.concat(await request.toArray()).toString();
                response.end('ok');
            } catch {
                seen.broken = true;
            }
            server.emit('seen');
        }).listen(0, '127.0.0.1');
        await once(server, 'listening');
        url = `http://127.0.0.1:${server.address().port}/`;
    });
    beforeEach(() => requests = []);
    after(() => {
        server.closeAllConnections();
        server.close();
    });

    const post = (body, headers) => fetch(url, { method: 'POST', body, headers });
    const generated = async function* (...pieces) {
        for (const piece of pieces)
            yield Buffer.from(piece);
    };

    test('is for fetch to say', async () => {
        for (const headers of [
            { 'Transfer-Encoding': 'chunked' }, { 'transfer-encoding': 'identity' }, { 'Keep-Alive': 'timeout=5' },
            { Upgrade: 'h2c' }, { TE: 'trailers' }, { Trailer: 'X-A' }, { Expect: '100-continue' },
            { Connection: 'X-A' }, { Connection: 'close, TE' }, { 'Proxy-Authorization': 'a' },
            { 'Proxy-Connection': 'a' },
            [['Host', 'a'], ['host', 'b']], [['content-length', '1'], ['Content-Length', '1']],
            ...['', '-1', '+1', '1.0', '0x1', '1e0', '1, 1', 'one', '9007199254740993']
                .map((length) => ({ 'Content-Length': length })),
        ])
            await assert.rejects(post('a', headers), TypeError, JSON.stringify(headers));
        assert.equal(requests.length, 0);
    });

    test('is as it says itself for a string or bytes', async () => {
        for (const body of ['ü', Buffer.from('ü'), new DataView(new TextEncoder().encode('ü').buffer),
            new Uint16Array([0xbcc3]), new URLSearchParams('ü')]) {
            const length = body instanceof URLSearchParams ? 7 : 2;
            for (const wrong of [0, length - 1, length + 1])
                await assert.rejects(post(body, { 'content-length': wrong }), TypeError);
            for (const headers of [undefined, { 'Content-Length': length }]) {
                await (await post(body, headers)).text();
                const { head, raw, body: came } = requests.pop();
                assert.equal(head['content-length'], String(length));
                assert.equal(raw.filter((name) => /^content-length$/i.test(name)).length, 1);
                assert.equal(head['transfer-encoding'], undefined);
                assert.equal(came.length, length === 7 ? 7 : 1);
            }
        }
        assert.equal(requests.length, 0);
    });

    test('is nothing at once without a body', async () => {
        await assert.rejects(fetch(url, { headers: { 'content-length': '1' } }), TypeError);
        for (const [method, length] of [['POST', '0'], ['put', '0'], ['PATCH', undefined], ['DELETE', undefined],
            ['GET', undefined], ['HEAD', undefined]]) {
            for (const headers of [undefined, { 'content-length': '0' }]) {
                await (await fetch(url, { method, headers })).text();
                const { head, body } = requests.pop();
                assert.equal(head['content-length'], length, method);
                assert.deepEqual([head['transfer-encoding'], head['content-type'], body], [undefined, undefined, '']);
            }
        }
    });

    test('is told of an iterable whose size is given', async () => {
        for (const [body, size] of [[['one ', 'two'], 7], [generated('one ', '', 'two', ''), 7], [[], 0], [[''], 0],
            [new Blob(['one ', 'two']), undefined], [new Blob([]), undefined]]) {
            await (await post(body, size === undefined ? {} : { 'Content-Length': size })).text();
            const { head, body: came } = requests.pop();
            assert.equal(head['transfer-encoding'], undefined);
            assert.equal(head['content-length'], String(size ?? body.size));
            assert.equal(came, head['content-length'] === '0' ? '' : 'one two');
        }
        await (await post(generated('one ', 'two'))).text();
        assert.equal(requests[0].head['transfer-encoding'], 'chunked');
        assert.equal(requests[0].body, 'one two');
    });

    test('is no part of a body of another size', async () => {
        const raw = await listener('');
        for (const [body, size] of [[['hello', 'GET / HTTP/1.1\r\n\r\n'], 5], [['hello world'], 5],
            [generated('hello', '', '!'), 5], [['hell'], 5], [[], 5], [['hello'], 0], [generated('hel', 'l'), 5]]) {
            const headers = { 'content-length': size };
            await assert.rejects(fetch(raw.url, { method: 'PUT', body, headers }), TypeError);
            await raw.gone(raw.connections);
            const sent = raw.heads.splice(0).join('');
            assert.doesNotMatch(sent, /GET|world|!|hello/);
        }
        await assert.rejects(post(new Blob(['hello']), { 'content-length': 4 }), TypeError);
        await raw.stop();
    });

    test('does not wait for memory that its source uses again', async () => {
        const memory = Buffer.from('one ');
        const again = async function* () {
            yield memory;
            memory.write('two!');
            yield memory;
            memory.fill('x');
        };
        await (await post(again(), { 'content-length': 8 })).text();
        assert.equal(requests[0].body, 'one two!');
    });

    test('leaves the connection to whoever asks for its end', async () => {
        const raw = await listener();
        await (await fetch(raw.url, { headers: { Connection: 'Keep-Alive' } })).text();
        await (await fetch(raw.url, { headers: { Connection: 'close', Host: 'other.example' } })).text();
        assert.doesNotMatch(raw.heads[0], /connection/i);
        assert.match(raw.heads[1], /\r\nConnection: close\r\n/);
        assert.match(raw.heads[1], /\r\nHost: other.example\r\n/);
        assert.equal(raw.heads[1].match(/host:/gi).length, 1);
        await raw.stop();
    });
});
