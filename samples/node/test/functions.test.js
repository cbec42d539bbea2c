// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const { once } = require('node:events');
const { after, before, describe, test } = require('node:test');
const curlicue = require('..');
const { Curl, AsyncCurlMulti } = curlicue;

const { PAUSE_CONT, READFUNC_ABORT, READFUNC_PAUSE, WRITEFUNC_PAUSE } = curlicue;

describe('What a function of a Curl returns', () => {
    let server, url, multi, received;
    before(async () => {
        multi = new AsyncCurlMulti();
        server = http.createServer(async (request, response) => {
            received = '';
            try {
                for await (const chunk of request)
                    received += chunk;
                response.end('body');
            } catch {
                // its client has given it up
            }
        }).listen(0, '127.0.0.1');
        await once(server, 'listening');
        url = `http://127.0.0.1:${server.address().port}/`;
    });
    after(async () => {
        await multi.close();
        server.closeAllConnections();
        server.close();
    });

    const quiet = () => new Curl(url).setopt('WRITEFUNCTION', () => {});
    const uploading = (read) => quiet().setopt('UPLOAD', true).setopt('READFUNCTION', read);
    const once_ = (part) => {
        const parts = [part];
        return () => parts.shift();
    };
    const nonsense = [null, true, false, 'all', '', {}, [], Symbol('s'), 1n, () => {}, new Date(), Promise.resolve(0)];
    const numbers = [-1, 0.5, NaN, Infinity, -Infinity, 2 ** 32, 2 ** 53, -(2 ** 31) - 1, 1e300];

    test('is the bytes to send, and no number but the two that libcurl knows', async () => {
        for (const part of [0, 1, 4, 100, 65536, READFUNC_PAUSE + 1, READFUNC_ABORT - 1, ...numbers])
            await assert.rejects(multi.perform(uploading(() => part)), TypeError, String(part));
        await assert.rejects(multi.perform(uploading(() => READFUNC_ABORT)), { code: 'CURLE_ABORTED_BY_CALLBACK' });
    });

    test('is nothing else to send either', async () => {
        for (const part of [...nonsense.filter((one) => one !== null && typeof one !== 'string'), [1, 2, 3],
            new Array(70000).fill(1), { length: 3 }, new Map(), async () => 'part'])
            await assert.rejects(multi.perform(uploading(() => part)), TypeError, typeof part);
        await assert.rejects(multi.perform(uploading(async () => Buffer.from('later'))), TypeError);
    });

    test('is sent whatever kind of bytes it is', async () => {
        const two = new Uint16Array([0x6f63, 0x7775]);
        for (const [part, text] of [
            ['string', 'string'], ['\u20ac', '\u20ac'], [Buffer.from('bytes'), 'bytes'], [two, 'couw'],
            [two.buffer, 'couw'], [new DataView(two.buffer, 1, 2), 'ou'], [Buffer.alloc(0), ''], ['', ''],
            [null, ''], [undefined, ''],
        ]) {
            await multi.perform(uploading(once_(part)));
            assert.equal(received, text);
        }
    });

    test('is no more than was asked for', async () => {
        for (const more of [(size) => Buffer.alloc(size + 1), (size) => 'x'.repeat(size + 1),
            (size) => '\u20ac'.repeat(size / 2), () => Buffer.alloc(8 << 20)])
            await assert.rejects(multi.perform(uploading(more)), TypeError);
        let asked = 0;
        await multi.perform(uploading((size) => asked++ === 0 ? Buffer.alloc(size, 'a') : null));
        assert.match(received, /^a+$/);
    });

    test('is how much was taken, or a pause', async () => {
        for (const option of ['WRITEFUNCTION', 'HEADERFUNCTION']) {
            for (const wrong of [...nonsense, ...numbers, 4096, WRITEFUNC_PAUSE + 1])
                await assert.rejects(multi.perform(quiet().setopt(option, () => wrong)), TypeError,
                    `${option} ${String(wrong)}`);
            await assert.rejects(multi.perform(quiet().setopt(option, () => 1)),
                { code: 'CURLE_WRITE_ERROR', phase: option === 'WRITEFUNCTION' ? 'body' : 'headers' });
            await multi.perform(quiet().setopt(option, (chunk) => chunk.length));
            let asked = 0;
            const pausing = quiet().setopt(option, () => {
                if (asked++ !== 0)
                    return undefined;
                setImmediate(() => pausing.pause(PAUSE_CONT));
                return WRITEFUNC_PAUSE;
            });
            await multi.perform(pausing);
            assert.ok(asked > 1);
        }
    });

    test('is whether to go on', async () => {
        for (const wrong of [...nonsense, ...numbers.slice(1)])
            await assert.rejects(multi.perform(quiet().setopt('XFERINFOFUNCTION', () => wrong)), TypeError,
                String(wrong));
        for (const end of [1, -1, 7])
            await assert.rejects(multi.perform(quiet().setopt('XFERINFOFUNCTION', () => end)),
                { code: 'CURLE_ABORTED_BY_CALLBACK' });
        for (const on of [0, undefined, -0])
            await multi.perform(quiet().setopt('XFERINFOFUNCTION', () => on));
    });

    test('is nothing, where libcurl wants nothing', async () => {
        const debugging = (returned) => quiet().setopt('VERBOSE', true).setopt('DEBUGFUNCTION', () => returned);
        for (const wrong of nonsense)
            await assert.rejects(multi.perform(debugging(wrong)), TypeError, String(wrong));
        for (const ignored of [undefined, 0, 1, -0.5])
            await multi.perform(debugging(ignored));
    });

    test('is whether it could seek', async () => {
        // A proxy that asks who it is has libcurl send the upload again, from the beginning.
        const asking = http.createServer(async (request, response) => {
            for await (const chunk of request)
                void chunk;
            response.writeHead(request.headers.authorization?.includes('response=') ? 200 : 401,
                { 'WWW-Authenticate': 'Digest realm="r", nonce="n", qop="auth"' }).end();
        }).listen(0, '127.0.0.1');
        await once(asking, 'listening');
        const seeking = (returned) => {
            let left = ['part'];
            return new Curl(`http://127.0.0.1:${asking.address().port}/`).setopt('WRITEFUNCTION', () => {})
                .setopt('UPLOAD', true).setopt('INFILESIZE', 4).setopt('USERPWD', 'a:b')
                .setopt('HTTPAUTH', 1 | 2).setopt('READFUNCTION', () => left.shift())
                .setopt('SEEKFUNCTION', (offset, origin) => {
                    assert.deepEqual([offset, origin], [0, 0]);
                    left = ['part'];
                    return returned;
                });
        };
        for (const could of [0, undefined]) {
            const curl = seeking(could);
            await multi.perform(curl);
            assert.equal(curl.getinfo('RESPONSE_CODE'), 200);
        }
        await assert.rejects(multi.perform(seeking(1)), { code: 'CURLE_SEND_FAIL_REWIND' });
        for (const wrong of [3, ...nonsense, ...numbers])
            await assert.rejects(multi.perform(seeking(wrong)), TypeError, String(wrong));
        asking.closeAllConnections();
        asking.close();
    });

    test('is thrown by one that performs by itself, too', () => {
        const nobody = new Curl('http://127.0.0.1:9/').setopt('WRITEFUNCTION', () => {}).setopt('VERBOSE', true);
        assert.throws(() => nobody.setopt('DEBUGFUNCTION', () => 'no').perform(), TypeError);
        assert.throws(() => nobody.setopt('DEBUGFUNCTION', () => {}).setopt('XFERINFOFUNCTION', () => NaN).perform(),
            TypeError);
    });
});

describe('A number', () => {
    test('is whole and in range, or a TypeError at the call', async () => {
        const multi = new AsyncCurlMulti();
        const curl = new Curl();
        for (const wrong of [NaN, Infinity, -Infinity, 0.5, 2 ** 53, 1e300]) {
            assert.throws(() => curl.setopt('TIMEOUT', wrong), TypeError);
            assert.throws(() => curl.setopt(wrong, 1), TypeError);
            assert.throws(() => curl.unset(wrong), TypeError);
            assert.throws(() => curl.pause(wrong), TypeError);
            assert.throws(() => multi.setopt(wrong, 1), TypeError);
            assert.throws(() => multi.setopt(6, wrong), TypeError);
            assert.throws(() => multi.drain(wrong), TypeError);
            assert.throws(() => new AsyncCurlMulti({ shards: wrong }), TypeError);
            assert.throws(() => new AsyncCurlMulti({ heartbeat: wrong }), TypeError);
        }
        for (const options of [{ shards: 0 }, { shards: -1 }, { shards: '2' }, { heartbeat: -1 }, { heartbeat: '1' }])
            assert.throws(() => new AsyncCurlMulti(options), TypeError);
        assert.throws(() => curl.setopt(-1, 1), TypeError);
        assert.throws(() => multi.drain(-1), TypeError);
        assert.equal(multi.closed, false);
        await multi.close();
    });
});
