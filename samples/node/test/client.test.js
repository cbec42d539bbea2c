// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const { fetch, AsyncCurlMulti, Client } = require('..');
const { freePort } = require('./support/nginx.js');
const { answer, listener, serve } = require('./support/server.js');

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const busy = 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n';
const soon = { first: 1, most: 2 };

/** Fails so often, and then is well. */
function failing(times) {
    return listener(() => times-- > 0 ? busy : ok);
}

describe('A retry', () => {
    test('comes only where it is asked for', async () => {
        const server = await failing(1);
        assert.equal((await fetch(server.url)).status, 503);
        assert.equal((await fetch(server.url)).status, 200);
        assert.equal(server.heads.length, 2);
        await server.stop();
    });

    test('is of a failed request, so often', async () => {
        const server = await failing(2);
        assert.equal((await fetch(server.url, { retry: { attempts: 3, ...soon } })).status, 200);
        assert.equal(server.heads.length, 3);
        const worse = await failing(4);
        assert.equal((await fetch(worse.url, { retry: { attempts: 2, ...soon } })).status, 503);
        assert.equal((await fetch(worse.url, { retry: { attempts: 2, ...soon, statuses: [500] } })).status, 503);
        assert.equal(worse.heads.length, 3);
        await Promise.all([server.stop(), worse.stop()]);
    });

    test('is none of what must not be sent twice', async () => {
        const server = await failing(2);
        const retry = { attempts: 3, ...soon };
        assert.equal((await fetch(server.url, { method: 'POST', body: 'once', retry })).status, 503);
        assert.equal((await fetch(server.url, { method: 'PUT', body: ['once'], retry })).status, 503);
        assert.equal((await fetch(server.url, { method: 'PUT', body: 'twice', retry })).status, 200);
        await server.stop();
    });

    test('that was the last tells how many there were, and what the failure was', async () => {
        const error = await fetch(`http://127.0.0.1:${await freePort()}/`, { retry: { attempts: 2, ...soon } })
            .catch((failure) => failure);
        assert.deepEqual([error.name, error.code, error.phase, error.attempts],
            ['CurlError', 'CURLICUE_RETRIES_EXHAUSTED', 'connect', 2]);
        assert.deepEqual([error.cause.name, error.cause.code, error.cause.cause.code],
            ['CurlError', 'CURLE_COULDNT_CONNECT', 'ECONNREFUSED']);
    });

    test('is not waited for by whoever calls it off', async () => {
        const aborter = new AbortController();
        const server = await listener(() => {
            setImmediate(() => aborter.abort('enough'));
            return busy;
        });
        await assert.rejects(fetch(server.url, { signal: aborter.signal, retry: { attempts: 9, first: 1e6, most: 1e6 } }),
            (reason) => reason === 'enough');
        await server.stop();
    });
});

describe('An address', () => {
    test('is asked for before a connection, and before a request', async () => {
        const server = await listener();
        const asked = [];
        const allowAddress = (address, family) => asked.push([address, family]) > 0;
        assert.equal(await (await fetch(server.url, { allowAddress })).text(), 'ok');
        assert.deepEqual(asked, [['127.0.0.1', 4], ['127.0.0.1', 4]]);
        assert.equal(await (await fetch(server.url, { allowAddress })).text(), 'ok');
        assert.equal(asked.length, 3); // over the connection that was kept
        await assert.rejects(fetch(server.url, { allowAddress: () => false }),
            { name: 'CurlError', code: 'CURLICUE_ADDRESS_REFUSED', phase: 'connect' });
        assert.equal(server.heads.length, 2);
        await server.stop();
    });

    test('of a redirect is asked for too', async () => {
        const there = await listener();
        const here = await listener(`HTTP/1.1 302 Found\r\nLocation: ${there.url.replace('127.0.0.1', '127.0.0.2')}` +
            '\r\nContent-Length: 0\r\n\r\n');
        await assert.rejects(fetch(here.url, { allowAddress: (address) => address === '127.0.0.1' }),
            { code: 'CURLICUE_ADDRESS_REFUSED' });
        assert.equal(there.connections, 0);
        await Promise.all([here.stop(), there.stop()]);
    });

    test('may have to be public', async () => {
        const server = await listener();
        await assert.rejects(fetch(server.url, { allowAddress: 'public' }), { code: 'CURLICUE_ADDRESS_REFUSED' });
        assert.equal(server.connections, 0);
        await server.stop();
    });

    test('is refused by what is not true, or throws', async () => {
        const server = await listener();
        const thrown = new Error('no');
        for (const returned of [undefined, 1, 'yes', Promise.resolve(true)])
            await assert.rejects(fetch(server.url, { allowAddress: () => returned }), { code: 'CURLICUE_ADDRESS_REFUSED' });
        await assert.rejects(fetch(server.url, { allowAddress: () => { throw thrown; } }),
            (failure) => failure === thrown || failure.code === 'CURLICUE_ADDRESS_REFUSED');
        assert.equal(server.heads.length, 0);
        await server.stop();
    });
});

describe('A Client', () => {
    test('has no more at a server than it may, and the rest wait', async () => {
        const open = [];
        const server = await serve((socket) => socket.on('data', () => open.push(socket)));
        const client = new Client({ limits: { perOrigin: 2 } });
        const all = Array.from({ length: 6 }, async () => (await client.fetch(server.url)).text());
        for (let answered = 0; answered !== 6; ++answered) {
            while (open.length === 0)
                await turn();
            for (let i = 0; i !== 20; ++i)
                await turn();
            const { running, queued, queuedByOrigin } = client.stats();
            assert.ok(running <= 2 && open.length <= 2, `${running} of them run`);
            if (answered === 0) {
                assert.equal(queued, 4);
                assert.deepEqual(queuedByOrigin, { [server.url]: 4 });
            }
            open.shift().write(ok);
        }
        assert.deepEqual(await Promise.all(all), Array(6).fill('ok'));
        assert.equal(client.stats().requests, 6);
        await client.close();
        await server.stop();
    });

    test('refuses what its queue has no room for, and what waits there too long', async () => {
        const silent = await serve(() => {});
        const client = new Client({ limits: { total: 1, queue: 1 }, queueTimeout: 50 });
        const first = client.fetch(silent.url), second = client.fetch(silent.url);
        await assert.rejects(client.fetch(silent.url), { code: 'CURLICUE_QUEUE_FULL', phase: 'queue' });
        await assert.rejects(second, { code: 'CURLE_OPERATION_TIMEDOUT', limit: 'queue', phase: 'queue' });
        const ended = assert.rejects(first, { code: 'CURLICUE_CANCELLED' });
        await client.close();
        await ended;
        await assert.rejects(client.fetch(silent.url), { code: 'CURLICUE_CLOSED' });
        await silent.stop();
    });

    test('sends what matters more first', async () => {
        const server = await listener();
        const client = new Client({ limits: { total: 1 } });
        await Promise.all([['/first', 0], ['/low', -1], ['/high', 5], ['/none']].map(async ([path, priority]) =>
            (await client.fetch(server.url + path, { priority })).text()));
        assert.deepEqual(server.heads.map((head) => head.split(' ')[1]), ['/first', '/high', '/none', '/low']);
        await client.close();
        await server.stop();
    });

    test('has options of its own, which give way to those of a request', async () => {
        const server = await failing(2);
        const client = new Client({ headers: { 'X-A': 'client' }, retry: { attempts: 3, ...soon } });
        assert.equal((await client.fetch(server.url, { headers: { 'X-B': 'request' } })).status, 200);
        assert.match(server.heads[0], /\r\nX-B: request\r\n/);
        assert.doesNotMatch(server.heads[0], /x-a/i);
        await (await client.fetch(server.url)).text();
        assert.match(server.heads.at(-1), /\r\nX-A: client\r\n/);
        assert.equal(client.stats().retried, 2);
        await client.close();
        await server.stop();
    });

    test('runs on the multi it is given, and keeps it', async () => {
        const server = await serve(answer(ok));
        const multi = new AsyncCurlMulti();
        const client = new Client({ multi });
        assert.equal(await (await client.fetch(server.url)).text(), 'ok');
        assert.equal(multi.stats().completed, 1);
        await client.close();
        assert.equal(multi.closed, false);
        await Promise.all([multi.close(), server.stop()]);
    });

    test('holds no more bytes of unread bodies than it may', async () => {
        const chunk = Buffer.alloc(1 << 20);
        let sent = 0;
        const server = await serve((socket) => socket.once('data', () => {
            socket.write('HTTP/1.1 200 OK\r\n\r\n');
            const push = () => {
                do
                    sent += chunk.length;
                while (socket.write(chunk));
            };
            socket.on('drain', push);
            push();
        }));
        const client = new Client({ memory: 1 << 20 });
        const unread = await Promise.all(Array.from({ length: 8 }, () => client.fetch(server.url)));
        for (let still = 0, before = 0; still !== 100; await turn()) {
            still = sent === before ? still + 1 : 0;
            before = sent;
        }
        assert.ok(client.stats().bytes < 3 << 20, `${client.stats().bytes} bytes are here`);
        for (const response of unread)
            response.cancel();
        await server.gone(8);
        await client.close();
        await server.stop();
    });

    test('is refused with what it cannot be', () => {
        for (const options of [{ multi: {} }, { multi: 1 }, { limits: { perOrigin: -1 } }, { limits: { total: '2' } },
            { limits: { queue: NaN } }, { memory: -1 }, { retry: { attempts: 'two' } }, { retry: { budget: -1 } },
            { allowAddress: 'private' }, { allowAddress: null }, { priority: 0.5 }, { queueTimeout: -1 },
            { firstByteTimeout: '1' }, { timeout: -1 }, { headers: 5 }])
            assert.throws(() => new Client(options), TypeError, JSON.stringify(options));
        assert.throws(() => Client(), TypeError);
    });
});

describe('A time limit', () => {
    test('tells which it was', async () => {
        const silent = await serve(() => {});
        const halting = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
        for (const [url, options, limit] of [[silent.url, { firstByteTimeout: 50 }, 'firstByte'],
            [silent.url, { timeout: 50 }, 'total'], [halting.url, { stallTimeout: 50 }, 'stall'],
            [silent.url.replace('http:', 'https:'), { connectTimeout: 50 }, 'connect']]) {
            const error = await fetch(url, options).then((response) => response.text()).catch((failure) => failure);
            assert.deepEqual([error.code, error.errno, error.limit], ['CURLE_OPERATION_TIMEDOUT', 28, limit]);
        }
        await Promise.all([silent.stop(), halting.stop()]);
    });
});
