// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { getEventListeners, setMaxListeners } = require('node:events');
const { describe, test } = require('node:test');
const { fetch, AsyncCurlMulti } = require('..');
const { answer, serve } = require('./support/server.js');

const silent = () => {};

describe('An AbortSignal', () => {
    test('that was given before lets nothing begin', async () => {
        const server = await serve(silent);
        await assert.rejects(fetch(server.url, { signal: AbortSignal.abort('early') }),
            (reason) => reason === 'early');
        assert.equal(server.connections, 0);
        await server.stop();
    });

    test('ends a request that is waited for', async () => {
        const aborter = new AbortController();
        const server = await serve((socket) => socket.on('data', () => aborter.abort()));
        await assert.rejects(fetch(server.url, { signal: aborter.signal }), { name: 'AbortError' });
        await server.gone(1);
        await server.stop();
    });

    test('ends a body, whichever way it is read, with its reason', async () => {
        const reason = new Error('enough');
        const ways = {
            text: (response) => response.text(),
            iterator: async (response) => {
                for await (const chunk of response)
                    assert.equal(Buffer.from(chunk).toString(), 'part');
            },
            stream: async (response) => {
                const reader = response.body.getReader();
                while (!(await reader.read()).done);
            },
        };
        for (const read of Object.values(ways)) {
            const server = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart'));
            const aborter = new AbortController();
            const reading = read(await fetch(server.url, { signal: aborter.signal }));
            setImmediate(() => aborter.abort(reason));
            await assert.rejects(reading, (failure) => failure === reason);
            await server.gone(1);
            await server.stop();
        }
    });

    test('is heard while an option is set', async () => {
        const aborter = new AbortController();
        const server = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
        const tweak = () => aborter.abort('meanwhile');
        await assert.rejects(fetch(server.url, { signal: aborter.signal, tweak }), (reason) => reason === 'meanwhile');
        assert.equal(server.connections, 0);
        await server.stop();
    });

    test('is heard between a response and what is done with it', async () => {
        const aborter = new AbortController();
        const server = await serve((socket) => socket.on('data', () => {
            socket.write('HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n');
            if (server.connections && ++asked === 5)
                aborter.abort('enough');
        }));
        let asked = 0;
        await assert.rejects(fetch(server.url, { signal: aborter.signal, maxRedirects: Infinity }),
            (reason) => reason === 'enough');
        await server.stop();
    });

    test('has no listener once a response is there, read or not', async () => {
        const warnings = [];
        const warned = (warning) => warnings.push(warning);
        process.on('warning', warned);
        const { signal } = new AbortController();
        const listeners = () => getEventListeners(signal, 'abort').length;
        for (const [method, reply] of [['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'],
            ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'], ['POST', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
            ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok']]) {
            const server = await serve(answer(reply));
            for (let i = 0; i !== 20; ++i) {
                const { status } = await fetch(server.url, { method, signal });
                assert.ok(status === 200 || status === 204);
                while (listeners() !== 0)
                    await new Promise(setImmediate);
            }
            await server.stop();
        }
        const silent = await serve(() => {});
        const many = Array.from({ length: 50 }, () => fetch(silent.url, { signal }).catch(() => {}));
        assert.equal(listeners(), 1);
        await new Promise(setImmediate);
        process.off('warning', warned);
        assert.deepEqual(warnings, []);
        while (silent.connections !== 50)
            await new Promise(setImmediate);
        await silent.stop();
        await Promise.all(many);
        assert.equal(listeners(), 0);
    });

    test('afterwards changes nothing', async () => {
        const server = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
        const aborter = new AbortController();
        const response = await fetch(server.url, { signal: aborter.signal });
        assert.equal(await response.text(), 'ok');
        aborter.abort();
        assert.equal(await (await fetch(server.url)).text(), 'ok');
        assert.equal(server.connections, 1);
        await server.stop();
    });

    test('may end many at once, in the middle of another\'s callback', async () => {
        const aborter = new AbortController();
        setMaxListeners(50, aborter.signal);
        const multi = new AsyncCurlMulti();
        const server = await serve(silent);
        const requests = Promise.allSettled(Array.from({ length: 50 }, () =>
            fetch(server.url, { multi, signal: aborter.signal })));
        while (server.connections !== 50)
            await new Promise(setImmediate);
        const one = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
        await fetch(one.url, { multi, tweak: (curl) => curl.setopt('DEBUGFUNCTION', () => aborter.abort())
            .setopt('VERBOSE', true) });
        for (const result of await requests)
            assert.equal(result.reason?.name, 'AbortError');
        await server.gone(50);
        await Promise.all([server.stop(), one.stop()]);
    });
});
