// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const { fetch, AsyncCurlMulti } = require('..');
const { collect, collectUntil } = require('./support/collect.js');
const { bytes, startNginx } = require('./support/nginx.js');
const { runProgram } = require('./support/program.js');
const { answer, serve } = require('./support/server.js');

const MIB = 1024 * 1024;
// As long as we like: CURLICUE_STREAM_MIB=1024 for a gigabyte.
const large = Number(process.env.CURLICUE_STREAM_MIB ?? 256) * MIB;
// The address sanitizer keeps for a while what is freed.
const skip = process.env.LD_PRELOAD?.includes('libasan') && 'the sanitizer has the memory';

/** The body of a response that never ends; `sent()` tells how much the socket has taken of it. */
async function endless() {
    const chunk = Buffer.alloc(MIB);
    let sent = 0;
    const server = await serve((socket) => socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const push = () => {
            do
                sent += MIB;
            while (socket.write(chunk));
        };
        socket.on('drain', push);
        push();
    }));
    return Object.assign(server, { sent: () => sent });
}

describe('A body', () => {
    let nginx;
    before(async () => nginx = await startNginx({ sizes: [MIB, 16 * MIB, large] }));
    after(() => nginx.stop());

    test('comes whole by for await and as a web stream', async () => {
        const response = await fetch(`${nginx.http}/bytes/${16 * MIB}`);
        const chunks = [];
        for await (const chunk of response)
            chunks.push(chunk);
        assert.ok(bytes(16 * MIB).equals(Buffer.concat(chunks)));

        const { body } = await fetch(`${nginx.http}/bytes/${16 * MIB}`);
        assert.ok(body instanceof ReadableStream);
        const streamed = await new globalThis.Response(body).arrayBuffer();
        assert.ok(bytes(16 * MIB).equals(Buffer.from(streamed)));
    });

    test('of any size needs little memory, however slowly it is read', { skip }, async () => {
        const response = await fetch(`${nginx.http}/bytes/${large}`);
        const before = process.memoryUsage.rss();
        let size = 0, most = 0, chunks = 0;
        for await (const chunk of response) {
            size += chunk.length;
            if (++chunks % 16 === 0) {
                await turn(); // others have their turn
                most = Math.max(most, process.memoryUsage.rss() - before);
            }
        }
        assert.equal(size, large);
        assert.ok(most < 64 * MIB, `${most} bytes more than at the beginning`);
    });

    test('waits at the server while nobody reads', async () => {
        const server = await endless();
        const response = await fetch(server.url);
        for (let still = 0, before = 0; still !== 100; await turn()) {
            still = server.sent() === before ? still + 1 : 0;
            before = server.sent();
        }
        // A mebibyte here; the rest are buffers of the kernel's.
        assert.ok(server.sent() < 32 * MIB, `${server.sent()} bytes were sent`);
        response.cancel();
        await server.gone(1);
        await server.stop();
    });

    test('that is not read to its end is not sent on', async () => {
        const server = await endless();
        for await (const chunk of await fetch(server.url)) {
            assert.ok(chunk.length > 0);
            break;
        }
        await server.gone(1);
        const reader = (await fetch(server.url)).body.getReader();
        await reader.read();
        await reader.cancel();
        await server.gone(2);
        await server.stop();
    });

    test('that nobody can read any more ends with its response', async () => {
        const server = await endless();
        const multi = new AsyncCurlMulti();
        const statuses = [];
        for (let i = 0; i !== 5; ++i)
            statuses.push((await fetch(server.url, { multi })).status);
        assert.deepEqual(statuses, [200, 200, 200, 200, 200]);
        await collectUntil(() => multi.stats().cancelled === 5);
        assert.equal(multi.stats().pending, 0);
        await server.gone(5);
        await server.stop();
    });

    test('that is read keeps its response', async () => {
        const server = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'));
        const sockets = [];
        const talking = await serve((socket) => {
            sockets.push(socket);
            answer('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n')(socket);
        });
        const text = fetch(talking.url).then((response) => response.text());
        while (sockets.length === 0)
            await turn();
        await collect();
        sockets[0].write('kept');
        assert.equal(await text, 'kept');
        await Promise.all([server.stop(), talking.stop()]);
    });

    test('stays as it is, however much memory is used again for others', async () => {
        const get = async () => (await fetch(`${nginx.http}/bytes/${MIB}`)).bytes();
        const batch = (count) => Promise.all(Array.from({ length: count }, get));
        const expected = bytes(MIB);
        const kept = await batch(20);
        for (const body of kept)
            body[0] ^= 0xff;
        for (let round = 0; round !== 5; ++round) {
            for (const body of await batch(20))
                assert.ok(expected.equals(body));
            await collect();
        }
        for (const body of kept) {
            assert.ok(!expected.equals(body));
            body[0] ^= 0xff;
            assert.ok(expected.equals(body));
        }
    });

    // The sanitizer maps 1 MiB anew each time that it is asked for: 353 pages.
    test('needs no new memory after others', { skip }, async () => {
        const bodies = () => Promise.all(Array.from({ length: 30 },
            async () => (await fetch(`${nginx.http}/bytes/${MIB}`)).bytes()));
        const faults = () => process.resourceUsage().minorPageFault;
        let before;
        for (let round = 0; round !== 3; ++round) {
            before = faults();
            await bodies();
            await collect();
        }
        // A page is 4 KiB: new memory would be 256 of them for each body.
        assert.ok(faults() - before < 30 * 64, `${faults() - before} new pages`);
    });

    test('leaves no memory when nobody fetches any more, or all is closed', { skip }, async () => {
        const silent = await serve(() => {});
        const program = (end) => `
            const { collect } = require(${JSON.stringify(require.resolve('./support/collect.js'))});
            const { setTimeout: sleep } = require('node:timers/promises');
            const multi = new curlicue.AsyncCurlMulti();
            const get = async (url) => (await curlicue.fetch(url, { multi })).bytes();
            (async () => {
                ${end === 'close' ? `get('${silent.url}').catch(() => {});` : ''}
                const bodies = await Promise.all(Array.from({ length: 60 }, () => get('${nginx.http}/bytes/${MIB}')));
                ${end === 'late' ? '' : 'bodies.length = 0;'}
                await collect();
                const resident = process.memoryUsage.rss();
                ${end === 'close' ? 'await multi.close();' : ''}
                ${end === 'late' ? 'await sleep(1500); bodies.length = 0; await collect();' : ''}
                for (let i = 0; i !== 100 && process.memoryUsage.rss() > resident - ${32 * MIB}; ++i)
                    await sleep(100);
                console.log(resident - process.memoryUsage.rss() > ${32 * MIB} ? 'less' : 'as much', multi.closed);
            })();`;
        for (const [end, output] of [['wait', 'less false\n'], ['late', 'less false\n'], ['close', 'less true\n']])
            assert.deepEqual(await runProgram(program(end)), { code: 0, output });
        await silent.stop();
    });

    test('is no larger than it may be, when it is read as a whole', async () => {
        await assert.rejects((await fetch(`${nginx.http}/bytes/${16 * MIB}`, { maxBodySize: MIB })).bytes(),
            { code: 'CURLE_FILESIZE_EXCEEDED' });
        assert.equal((await (await fetch(`${nginx.http}/bytes/${MIB}`, { maxBodySize: MIB })).bytes()).length, MIB);
    });

    test('that is read when it is over, but not told yet, fails with its error', async () => {
        const server = await endless();
        const ways = {
            text: (response) => response.text(),
            chunks: async (response) => {
                for await (const chunk of response)
                    assert.ok(chunk.length > 0);
            },
        };
        for (const read of Object.values(ways)) {
            const multi = new AsyncCurlMulti();
            const response = await fetch(server.url, { multi });
            const { sent } = server;
            for (let still = 0, before = 0; still !== 100; await turn()) {
                still = sent() === before ? still + 1 : 0;
                before = sent();
            }
            const closed = multi.close();
            await assert.rejects(read(response), { code: 'CURLICUE_CANCELLED' });
            await closed;
        }
        await server.stop();
    });

    test('fails with libcurl\'s error, whichever read it ends', async () => {
        const size = 100 * MIB; // more than libcurl 8.14 decodes while it is paused
        const zeros = require('node:zlib').gzipSync(Buffer.alloc(size));
        const server = await serve(answer(Buffer.concat([Buffer.from(
            `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${zeros.length}\r\n\r\n`), zeros])));
        let read = 0, failure;
        try {
            for await (const chunk of await fetch(server.url))
                read += chunk.length;
        } catch (error) {
            failure = error;
        }
        assert.match(failure?.code ?? `CURLE_OK, ${read}`, new RegExp(`^CURLE_(?!OK)|, ${size}$`));
        await server.stop();
    });

    test('that cannot be decoded fails with that, whichever read it ends', async () => {
        const broken = require('node:zlib').gzipSync(Buffer.alloc(16 * MIB));
        broken.fill(0xff, broken.length - 8); // its checksum and size
        const server = await serve(answer(Buffer.concat([Buffer.from(
            `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${broken.length}\r\n\r\n`), broken])));
        for (const highWaterMark of [1, MIB]) {
            await assert.rejects(async () => {
                for await (const chunk of await fetch(server.url, { highWaterMark }))
                    assert.ok(chunk.length > 0);
            }, { name: 'CurlError', code: 'CURLE_BAD_CONTENT_ENCODING' });
        }
        await server.stop();
    });

    test('waits for its reader, but no more of it than highWaterMark', async () => {
        const piece = 16 * 1024; // libcurl's
        const firstOf = async (options) => {
            const response = await fetch(`${nginx.http}/bytes/${MIB}`, options);
            for (let i = 0; i < 10; ++i) // more of it comes meanwhile, or would
                await (await fetch(`${nginx.http}/bytes/${MIB}`)).bytes();
            for await (const chunk of response)
                return chunk.length;
        };
        assert.ok(await firstOf({}) > piece);
        assert.ok(await firstOf({ highWaterMark: 1 }) <= piece);
    });

    test('is counted as it is decoded', async () => {
        const zeros = require('node:zlib').gzipSync(Buffer.alloc(16 * MIB));
        const server = await serve((socket) => socket.on('data', () => {
            socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${zeros.length}\r\n\r\n`);
            socket.write(zeros);
        }));
        await assert.rejects((await fetch(server.url, { maxBodySize: MIB })).bytes(),
            { code: 'CURLE_FILESIZE_EXCEEDED' });
        await server.stop();
    });
});
