// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const { once } = require('node:events');
const { after, before, describe, test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const { fetch } = require('..');
const { bytes, startNginx } = require('./support/nginx.js');
const { serve } = require('./support/server.js');

const KIB = 1024;
const MIB = 1024 * KIB;

/** Says what it has received, and of which type. */
async function echo() {
    const server = http.createServer(async (request, response) => {
        const chunks = await request.toArray();
        response.setHeader('X-Type', request.headers['content-type'] ?? 'none');
        response.end(Buffer.concat(chunks));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
}

describe('An upload', () => {
    let nginx, server, url;
    before(async () => {
        nginx = await startNginx();
        server = await echo();
        url = `http://127.0.0.1:${server.address().port}/`;
    });
    after(async () => {
        await nginx.stop();
        server.closeAllConnections();
        server.close();
    });

    const post = (body, options) => fetch(url, { method: 'POST', body, ...options });

    test('comes from a string, bytes, a form, a Blob or an iterable', async () => {
        const form = new FormData();
        form.set('name', 'value');
        for (const [body, text, type] of [
            ['text', /^text$/, /^text\/plain;charset=UTF-8$/],
            [Buffer.from('bytes'), /^bytes$/, /^none$/],
            [new Uint16Array([0x6f63, 0x7775]), /^couw$/, /^none$/],
            [new TextEncoder().encode('buffer').buffer, /^buffer$/, /^none$/],
            [new URLSearchParams({ a: 1 }), /^a=1$/, /^application\/x-www-form-urlencoded;charset=UTF-8$/],
            [form, /name="name"\r\n\r\nvalue\r\n/, /^multipart\/form-data; boundary=/],
            [new Blob(['blob'], { type: 'text/css' }), /^blob$/, /^text\/css$/],
            [['two ', Buffer.from('parts')], /^two parts$/, /^none$/],
            ['', /^$/, /^text\/plain/],
        ]) {
            const response = await post(body);
            assert.match(response.headers.get('x-type'), type);
            assert.match(await response.text(), text);
        }
        assert.equal((await post('a', { headers: { 'content-type': 'x/y' } })).headers.get('x-type'), 'x/y');
    });

    test('from an async generator arrives whole', async () => {
        const content = bytes(8 * MIB);
        const parts = async function* () {
            for (let at = 0; at < content.length; at += 100_000) {
                if (at % 700_000 === 0)
                    await turn();
                yield content.subarray(at, at + 100_000);
            }
        };
        const response = await fetch(`${nginx.http}/upload/generated`, { method: 'PUT', body: parts() });
        assert.equal(response.status, 201);
        assert.ok(content.equals(fs.readFileSync(`${nginx.directory}/upload/generated`)));
    });

    test('asks for no more than the server takes', async () => {
        const slow = await serve((socket) => socket.pause());
        let asked = 0;
        const parts = async function* () {
            try {
                for (;; ++asked)
                    yield Buffer.alloc(64 * KIB);
            } finally {
                asked = Infinity; // told that no more is wanted
            }
        };
        const aborter = new AbortController();
        const request = fetch(slow.url, { method: 'PUT', body: parts(), signal: aborter.signal });
        for (let still = 0, before = 0; still !== 100; await turn()) {
            still = asked !== 0 && asked === before ? still + 1 : 0;
            before = asked;
        }
        assert.ok(asked * 64 * KIB < 32 * MIB, `${asked} parts`); // most is in the kernel
        aborter.abort();
        await assert.rejects(request, { name: 'AbortError' });
        while (asked !== Infinity)
            await turn();
        await slow.stop();
    });

    test('that throws fails with what it threw', async () => {
        const thrown = new Error('no more');
        const parts = async function* () {
            yield 'first';
            throw thrown;
        };
        await assert.rejects(post(parts()), (failure) => failure === thrown);
        await assert.rejects(post([5]), TypeError);
    });

    test('ends when the server has answered before it was over', async () => {
        const refusing = await serve((socket) => socket.once('data', () =>
            socket.end('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')));
        let returned = false;
        const parts = async function* () {
            try {
                for (;;) {
                    yield Buffer.alloc(64 * KIB);
                    await turn();
                }
            } finally {
                returned = true;
            }
        };
        const response = await fetch(refusing.url, { method: 'PUT', body: parts() });
        assert.equal(response.status, 413);
        await response.text();
        while (!returned)
            await turn();
        await refusing.stop();
    });

    test('of an iterable is not sent twice', async () => {
        const redirecting = await serve((socket) => socket.on('data', () =>
            socket.write('HTTP/1.1 307 Go\r\nLocation: /\r\nContent-Length: 0\r\n\r\n')));
        await assert.rejects(fetch(redirecting.url, { method: 'PUT', body: ['once'] }),
            { code: 'CURLICUE_REDIRECT_REFUSED' });
        await redirecting.stop();
    });
});
