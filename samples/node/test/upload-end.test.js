// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { describe, test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const { fetch, AsyncCurlMulti, CurlError } = require('..');
const { serve } = require('./support/server.js');

const KIB = 1024;
const never = () => new Promise(() => {});

// Each brings a piece and then no more; `told` has why it need not.
const sources = {
    stream: () => {
        const told = [];
        const body = new ReadableStream({
            start: (controller) => controller.enqueue(new Uint8Array(1000)),
            pull: never,
            cancel: (reason) => told.push(reason),
        });
        return { body, told };
    },
    bytes: () => {
        const told = [];
        const body = new ReadableStream({
            type: 'bytes',
            start: (controller) => controller.enqueue(new Uint8Array(1000)),
            pull: never,
            cancel: (reason) => told.push(reason),
        });
        return { body, told };
    },
    iterator: () => {
        const told = [];
        let pieces = 1;
        const body = {
            [Symbol.asyncIterator]: () => ({
                next: () => pieces-- > 0 ? Promise.resolve({ done: false, value: 'piece' }) : never(),
                return: async (reason) => {
                    told.push(reason);
                    return { done: true };
                },
            }),
        };
        return { body, told };
    },
    readable: () => {
        const told = [];
        const body = new Readable({ read: () => {}, destroy: (reason, done) => done(told.push(reason) && reason) });
        body.push('piece');
        return { body, told };
    },
};

async function until(condition) {
    while (!condition())
        await turn();
}

describe('The source of an upload', () => {
    for (const [name, make] of Object.entries(sources)) {
        test(`(${name}) hears that the connection was reset`, async () => {
            const server = await serve((socket) => socket.once('data', () => socket.resetAndDestroy()));
            const { body, told } = make();
            const error = await fetch(server.url, { method: 'PUT', body }).catch((failure) => failure);
            assert.ok(error instanceof CurlError && error.code.startsWith('CURLE_'), error.code);
            await until(() => told.length !== 0);
            assert.deepEqual(told, [error]);
            await server.stop();
        });

        test(`(${name}) hears that the server has refused it`, async () => {
            const server = await serve((socket) => socket.once('data', () =>
                socket.write('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 7\r\n\r\nrefused')));
            const { body, told } = make();
            const response = await fetch(server.url, { method: 'PUT', body });
            assert.equal(response.status, 413);
            assert.equal(await response.text(), 'refused');
            await until(() => told.length !== 0);
            assert.equal(told[0].name, 'AbortError');
            await server.stop();
        });

        test(`(${name}) hears why the request was ended`, async () => {
            const aborter = new AbortController();
            const reason = new Error('enough');
            const server = await serve((socket) => socket.once('data', () => aborter.abort(reason)));
            const { body, told } = make();
            await assert.rejects(fetch(server.url, { method: 'PUT', body, signal: aborter.signal }),
                (failure) => failure === reason);
            await until(() => told.length !== 0);
            assert.deepEqual(told, [reason]);
            await server.stop();
        });

        test(`(${name}) hears that nothing has begun`, async () => {
            const multi = new AsyncCurlMulti();
            await multi.close();
            for (const options of [{ signal: AbortSignal.abort('early') }, { multi },
                { tweak: () => { throw new Error('no'); } }]) {
                const { body, told } = make();
                const error = await fetch('http://127.0.0.1/', { method: 'PUT', body, ...options })
                    .catch((failure) => failure);
                await until(() => told.length !== 0);
                assert.deepEqual(told, [error]);
            }
        });
    }

    test('hears nothing where all of it has gone', async () => {
        const server = await serve((socket) => socket.on('data', (data) => data.toString().endsWith('0\r\n\r\n') &&
            socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')));
        let told = 0, pieces = 1;
        const body = { [Symbol.iterator]: () => ({
            next: () => pieces-- > 0 ? { done: false, value: 'piece' } : { done: true },
            return: () => ++told,
        }) };
        await (await fetch(server.url, { method: 'PUT', body })).text();
        assert.equal(told, 0);
        await server.stop();
    });

    test('is done when it throws', async () => {
        const server = await serve(() => {});
        let told = 0;
        const thrown = new Error('no more');
        const body = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(thrown), return: () => ++told }) };
        await assert.rejects(fetch(server.url, { method: 'PUT', body }), (failure) => failure === thrown);
        await server.gone(server.connections);
        assert.equal(told, 0);
        await server.stop();
    });

    test('that cannot be sent again is nothing to the next request', async () => {
        // Answers the first request of a connection, and hangs up at the head of another to /die.
        const server = await serve((socket) => {
            let served = 0;
            socket.on('data', (data) => {
                if (served !== 0 && data.includes(' /die '))
                    socket.end();
                else if (++served)
                    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
            });
        });
        const multi = new AsyncCurlMulti({ shards: 1 });
        const parts = async function* () {
            yield 'some';
            yield 'more';
        };
        for (let i = 0; i !== 3; ++i) {
            assert.equal(await (await fetch(server.url, { multi })).text(), 'ok');
            await assert.rejects(fetch(`${server.url}/die`, { multi, method: 'PUT', body: parts() }), CurlError);
            assert.equal(await (await fetch(server.url, { multi })).text(), 'ok');
            assert.equal(await (await fetch(server.url, { multi, method: 'POST', body: 'text' })).text(), 'ok');
        }
        await Promise.all([server.stop(), multi.close()]);
    });

    test('may throw when it is told', async () => {
        const server = await serve((socket) => socket.once('data', () => socket.resetAndDestroy()));
        let told = 0;
        const body = new ReadableStream({
            pull: never,
            cancel: () => {
                ++told;
                throw new Error('its own affair');
            },
        });
        await assert.rejects(fetch(server.url, { method: 'PUT', body }), CurlError);
        await until(() => told === 1);
        await server.stop();
    });

    test('that brings a piece when it is over, but not told yet, hides no error', async () => {
        let socket, go;
        const server = await serve((one) => socket = one);
        const multi = new AsyncCurlMulti();
        const body = { [Symbol.asyncIterator]: () => ({ next: () => new Promise((resolve) =>
            go = () => resolve({ done: false, value: 'late' })) }) };
        const request = fetch(server.url, { multi, method: 'PUT', body });
        while (!socket?.bytesRead)
            await turn();
        const closed = multi.close();
        go();
        await assert.rejects(request, { code: 'CURLICUE_CANCELLED' });
        await Promise.all([closed, server.stop()]);
    });

    test('brings the true error, whenever its piece comes', async () => {
        const server = await serve((socket) => socket.once('data', () => setImmediate(() => socket.resetAndDestroy())));
        const parts = async function* () {
            for (let i = 0; i !== 1000; ++i) {
                yield Buffer.alloc(KIB);
                if (i % 3 === 0)
                    await turn();
            }
        };
        const failures = await Promise.all(Array.from({ length: 300 }, () =>
            fetch(server.url, { method: 'PUT', body: parts() }).catch((failure) => failure.code)));
        assert.deepEqual(failures.filter((code) => !/^CURLE_(SEND|RECV|COULDNT_CONNECT|GOT_NOTHING)/.test(code)), []);
        await server.stop();
    });
});
