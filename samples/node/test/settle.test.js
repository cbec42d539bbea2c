// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { constants } = require('node:buffer');
const { after, before, describe, test } = require('node:test');
const { fetch, AsyncCurlMulti, Curl } = require('..');
const { startNginx } = require('./support/nginx.js');
const { runProgram } = require('./support/program.js');
const { answer, serve } = require('./support/server.js');

const ok = answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

describe('A promise is settled', () => {
    let nginx;
    before(async () => nginx = await startNginx());
    after(() => nginx.stop());

    /** A file of that many zeros, which are nowhere on the disk. */
    function zeros(size) {
        fs.truncateSync(`${nginx.directory}/bytes/zeros`, 0);
        fs.truncateSync(`${nginx.directory}/bytes/zeros`, size);
        return `${nginx.http}/bytes/zeros`;
    }

    test('when a body is longer than a string may be', async () => {
        fs.writeFileSync(`${nginx.directory}/bytes/zeros`, '');
        const url = zeros(constants.MAX_STRING_LENGTH + 1);
        const tooLong = { name: 'RangeError', code: 'ERR_STRING_TOO_LONG', message: /bytes\(\)/ };
        const options = { maxBodySize: Infinity };
        const response = await fetch(url, options);
        await assert.rejects(response.text(), tooLong);
        await assert.rejects(response.text(), TypeError); // the body has been read
        assert.equal((await (await fetch(zeros(4), options)).text()).length, 4);
    });

    const most = constants.MAX_LENGTH;
    const skip = (most > 2 ** 33 || !process.env.CURLICUE_LONG) &&
        'CURLICUE_LONG=1 and a Node whose arrays may have no more than 8 GiB';
    test('when a body is longer than an array may be', { skip }, async () => {
        fs.writeFileSync(`${nginx.directory}/bytes/zeros`, '');
        await assert.rejects((await fetch(zeros(most + 1), { maxBodySize: Infinity })).bytes(),
            { name: 'RangeError', code: 'ERR_BUFFER_TOO_LARGE' });
    });

    test('when there is no memory for a body', async () => {
        const server = await serve(answer(`HTTP/1.1 200 OK\r\nContent-Length: ${2 ** 52}\r\n\r\nfirst`));
        for (const read of ['text', 'bytes']) {
            const response = await fetch(server.url, { maxBodySize: Infinity });
            await assert.rejects(response[read](), { name: 'CurlError', code: 'CURLE_OUT_OF_MEMORY' });
        }
        await server.gone(2);
        await server.stop();
    });

    test('when an error cannot be made as usual', async () => {
        const server = await serve((socket) => socket.on('data', () => socket.end('what?\r\n\r\n')));
        const source = `
            const thrown = { no: 'error' };
            const get = () => curlicue.fetch('${server.url}').then(() => 'got', (reason) => reason === thrown);
            const perform = () => new curlicue.AsyncCurlMulti().perform(new curlicue.Curl('${server.url}'))
                .then(() => 'got', (reason) => reason === thrown);
            Object.defineProperty(curlicue.CurlError.prototype, 'code', { set() { throw thrown; } });
            Promise.all([get(), perform()]).then((all) => console.log(...all));`;
        assert.deepEqual(await runProgram(source), { code: 0, output: 'true true\n' });
        await server.stop();
    });

    test('when a handle is closed between its failure and the turn of its promise', async () => {
        const sockets = [];
        const server = await serve((socket) => socket.once('data', () => {
            sockets.push(socket);
            server.asked?.();
        }));
        const [one, other] = [new AsyncCurlMulti(), new AsyncCurlMulti()];
        for (let round = 0; round !== 20; ++round) {
            sockets.length = 0;
            const curl = new Curl(server.url).setopt('WRITEFUNCTION', () => {});
            const closing = new Curl(server.url).setopt('WRITEFUNCTION', () => { curl.close(); });
            const asked = (count) => new Promise((resolve) => server.asked = () => sockets.length === count && resolve());
            let both = asked(1);
            const pending = [one.perform(curl)];
            await both;
            both = asked(2);
            pending.push(other.perform(closing));
            await both;
            // Both are told in one go: the first has failed when the second's function is called.
            sockets[0].end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
            sockets[1].end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
            const [{ reason }, { status }] = await Promise.allSettled(pending);
            assert.match(reason.code, /^(CURLE_PARTIAL_FILE|CURLICUE_CANCELLED|CURLICUE_CLOSED)$/);
            assert.equal(status, 'fulfilled');
        }
        await Promise.all([one.close(), other.close()]);
        await server.stop();
    });

    test('of everything that is pending when a multi is closed', async () => {
        const halting = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
        const silent = await serve(() => {});
        const multi = new AsyncCurlMulti();
        const reading = await fetch(halting.url, { multi });
        const iterated = await fetch(halting.url, { multi });
        const streamed = (await fetch(halting.url, { multi })).body.getReader();
        const parts = async function* () {
            for (;;)
                yield Buffer.alloc(65536);
        };
        const all = Promise.allSettled([
            reading.text(),
            (async () => {
                for await (const chunk of iterated)
                    assert.ok(chunk);
            })(),
            streamed.read().then(() => streamed.read()),
            fetch(silent.url, { multi }),
            fetch(silent.url, { multi, method: 'PUT', body: parts() }),
            multi.perform(new Curl(silent.url)),
        ]);
        await new Promise(setImmediate);
        const closing = [multi.close(), multi.close(), multi.drain(1000)];
        for (const { reason } of await all)
            assert.equal(reason.code, 'CURLICUE_CANCELLED');
        await Promise.all(closing);
        await Promise.all([halting.stop(), silent.stop()]);
    });

    test('when `then` of what it resolves with throws', async () => {
        const server = await serve(ok);
        const source = `
            const thrown = new Error('then');
            const get = () => new curlicue.AsyncCurlMulti().perform(new curlicue.Curl('${server.url}')
                .setopt('WRITEFUNCTION', () => {})).then(() => 'got', (reason) => reason === thrown);
            Object.defineProperty(curlicue.Curl.prototype, 'then', { get() { throw thrown; } });
            get().then(console.log);`;
        assert.deepEqual(await runProgram(source), { code: 0, output: 'true\n' });
        await server.stop();
    });
});
