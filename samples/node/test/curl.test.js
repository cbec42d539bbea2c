// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const curlicue = require('..');
const { Curl, AsyncCurlMulti } = curlicue;
const { collectUntil } = require('./support/collect.js');
const { bytes, startNginx } = require('./support/nginx.js');
const { answer, serve } = require('./support/server.js');

const MIB = 1024 * 1024;

describe('A Curl on an AsyncCurlMulti', () => {
    let nginx, multi;
    before(async () => {
        nginx = await startNginx({ sizes: [MIB] });
        multi = new AsyncCurlMulti();
    });
    after(async () => {
        await multi.close();
        await nginx.stop();
    });

    test('transfers what its options say, and tells about it', async () => {
        const chunks = [], lines = [];
        const curl = new Curl(`${nginx.http}/bytes/${MIB}`)
            .setopt('WRITEFUNCTION', (chunk) => { chunks.push(chunk); })
            .setopt(curlicue.options.HEADERFUNCTION, (line) => { lines.push(line); })
            .setopt('CURLOPT_HTTPHEADER', ['Accept: */*']);
        assert.equal(await multi.perform(curl), curl);
        assert.ok(bytes(MIB).equals(Buffer.concat(chunks)));
        assert.equal(lines[0], 'HTTP/1.1 200 OK\r\n');
        assert.equal(curl.getinfo('RESPONSE_CODE'), 200);
        assert.equal(curl.getinfo('EFFECTIVE_URL'), `${nginx.http}/bytes/${MIB}`);
        assert.equal(curl.getinfo('CURLINFO_SIZE_DOWNLOAD_T'), MIB);
        assert.equal(curl.getinfo('REDIRECT_URL'), null);
        assert.deepEqual(curl.getinfo('COOKIELIST'), []);
    });

    test('sends what READFUNCTION returns, also after a pause', async () => {
        const parts = [Buffer.from('one '), curlicue.READFUNC_PAUSE, Buffer.from('two'), null];
        let body = '';
        const curl = new Curl(`${nginx.http}/upload/read`).setopt('UPLOAD', true)
            .setopt('READFUNCTION', () => {
                const part = parts.shift();
                if (part === curlicue.READFUNC_PAUSE)
                    setImmediate(() => curl.unpause());
                return part;
            });
        await multi.perform(curl);
        assert.equal(curl.getinfo('RESPONSE_CODE'), 201);
        await multi.perform(new Curl(`${nginx.http}/upload/read`)
            .setopt('WRITEFUNCTION', (chunk) => { body += Buffer.from(chunk); }));
        assert.equal(body, 'one two');
    });

    test('rejects with what one of its functions threw', async () => {
        for (const option of ['WRITEFUNCTION', 'HEADERFUNCTION', 'XFERINFOFUNCTION', 'DEBUGFUNCTION']) {
            for (const thrown of [new RangeError(option), 'a string', undefined]) {
                const curl = new Curl(`${nginx.http}/hello`).setopt('VERBOSE', option === 'DEBUGFUNCTION')
                    .setopt('DEBUGFUNCTION', () => {})
                    .setopt('WRITEFUNCTION', () => {})
                    .setopt(option, () => { throw thrown; });
                const [result] = await Promise.allSettled([multi.perform(curl)]);
                assert.deepEqual(result, { status: 'rejected', reason: thrown });
            }
        }
    });

    test('ends where a function says so', async () => {
        const quiet = () => new Curl(`${nginx.http}/hello`).setopt('WRITEFUNCTION', () => {});
        await assert.rejects(multi.perform(quiet().setopt('WRITEFUNCTION', () => 1)),
            { code: 'CURLE_WRITE_ERROR', phase: 'body' });
        await assert.rejects(multi.perform(quiet().setopt('XFERINFOFUNCTION', () => 1)),
            { code: 'CURLE_ABORTED_BY_CALLBACK' });
        await assert.rejects(multi.perform(quiet().setopt('WRITEFUNCTION', () => 'all')), TypeError);
    });

    test('waits while it is paused', async () => {
        let paused = true, size = 0;
        const curl = new Curl(`${nginx.http}/bytes/${MIB}`).setopt('WRITEFUNCTION', (chunk) => {
            if (paused)
                return curlicue.WRITEFUNC_PAUSE;
            size += chunk.length;
        });
        const done = multi.perform(curl);
        for (let i = 0; i !== 100; ++i)
            await turn();
        assert.equal(size, 0);
        paused = false;
        curl.unpause();
        await done;
        assert.equal(size, MIB);
    });

    test('is refused where libcurl or the contract refuses it', async () => {
        const server = await serve(() => {});
        const curl = new Curl(server.url);
        const pending = multi.add_handle(curl);
        assert.throws(() => multi.add_handle(curl), { code: 'CURLICUE_ALREADY_ADDED' });
        assert.throws(() => curl.setopt('URL', 'http://b/'), { code: 'CURLICUE_ATTACHED' });
        assert.throws(() => multi.remove_handle(new Curl()), { code: 'CURLICUE_NOT_ADDED' });
        assert.throws(() => multi.add_handle({}), TypeError);
        assert.throws(() => multi.add_handle(multi), TypeError);
        assert.throws(() => Curl.prototype.setopt.call(multi, 'URL', ''), TypeError);
        assert.throws(() => curl.setopt('URL', 'a\0b'), { code: 'CURLICUE_ATTACHED' });
        assert.throws(() => new Curl().setopt('URL', 'a\0b'), { code: 'CURLICUE_EMBEDDED_NUL' });
        assert.throws(() => new Curl().setopt('SSLVERSION', 99), { code: 'CURLE_BAD_FUNCTION_ARGUMENT' });
        assert.equal(multi.contains(curl), true);
        assert.equal(multi.size, 1);
        multi.remove_handle(curl);
        await assert.rejects(pending, { code: 'CURLICUE_CANCELLED' });
        assert.equal(multi.size, 0);
        curl.close();
        assert.equal(curl.closed, true);
        assert.throws(() => curl.getinfo('RESPONSE_CODE'), { code: 'CURLICUE_CLOSED' });
        await server.stop();
    });

    test('performs by itself too, while everything else waits', () => {
        let body = '';
        new Curl(`${nginx.http}/hello`).setopt('WRITEFUNCTION', (chunk) => { body += Buffer.from(chunk); }).perform();
        assert.equal(body, 'hello\n');
    });

    test('is collected, also one whose functions know it', async () => {
        let collected = 0;
        const registry = new FinalizationRegistry(() => ++collected);
        for (let i = 0; i !== 10; ++i) {
            const curl = new Curl(`${nginx.http}/hello`);
            curl.setopt('WRITEFUNCTION', () => { curl.errstr(); });
            registry.register(curl);
            await multi.perform(curl);
        }
        await collectUntil(() => collected >= 9); // the last may be on the stack still
    });

    test('is kept while it is added', async () => {
        let socket;
        const server = await serve((one) => socket = one);
        let body = '';
        const done = multi.perform(new Curl(server.url)
            .setopt('WRITEFUNCTION', (chunk) => { body += Buffer.from(chunk); }));
        let collected = false;
        new FinalizationRegistry(() => collected = true).register({}, 0);
        while (!socket)
            await turn();
        for (let i = 0; i !== 5; ++i)
            await collectUntil(() => true);
        answer('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nkept')(socket);
        await done;
        assert.equal(body, 'kept');
        await server.stop();
    });
});

describe('An AsyncCurlMulti', () => {
    test('that is closed cancels what is pending', async () => {
        const server = await serve(() => {});
        const multi = new AsyncCurlMulti();
        const pending = [multi.perform(new Curl(server.url)), curlicue.fetch(server.url, { multi })];
        const settled = Promise.allSettled(pending);
        const closed = multi.close();
        assert.equal(multi.closed, true);
        await closed;
        for (const { reason } of await settled)
            assert.equal(reason.code, 'CURLICUE_CANCELLED');
        assert.throws(() => multi.perform(new Curl(server.url)), { code: 'CURLICUE_CLOSED' });
        await multi.close();
        await server.stop();
    });

    test('that drains lets finish what runs', async () => {
        let socket;
        const server = await serve((one) => socket = one);
        const multi = new AsyncCurlMulti();
        const text = curlicue.fetch(server.url, { multi }).then((response) => response.text());
        while (!socket)
            await turn();
        const drained = multi.drain(60_000);
        assert.throws(() => multi.perform(new Curl(server.url)), { code: 'CURLICUE_CLOSED' });
        answer('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone')(socket);
        assert.equal(await text, 'done');
        await drained;
        await server.stop();
    });

    test('takes options of libcurl\'s by number', () => {
        const multi = new AsyncCurlMulti({ caCache: true, shards: 2, heartbeat: 1000 });
        multi.setopt(6, 10); // CURLMOPT_MAXCONNECTS
        assert.throws(() => multi.setopt(20001, 1), TypeError); // CURLMOPT_SOCKETFUNCTION
        assert.match(multi.diagnostics(), /heartbeat: 1000 ms/);
    });

    test('refuses what stops the loop, where that is asked for', () => {
        const multi = new AsyncCurlMulti({ refuseBlocking: true });
        for (const url of ['file:///etc/hostname', 'telnet://127.0.0.1:1'])
            assert.throws(() => multi.perform(new Curl(url)), { code: 'CURLICUE_WOULD_BLOCK' });
    });
});
