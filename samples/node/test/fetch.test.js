// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const { fetch, AsyncCurlMulti } = require('..');
const { bytes, startNginx } = require('./support/nginx.js');
const { answer, listener, serve } = require('./support/server.js');

const KIB = 1024;
const MIB = 1024 * KIB;
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('fetch', () => {
    let nginx;
    before(async () => nginx = await startNginx({ sizes: [KIB, MIB] }));
    after(() => nginx.stop());

    test('gives status, headers and body', async () => {
        const response = await fetch(`${nginx.http}/hello`);
        assert.equal(response.status, 200);
        assert.equal(response.statusText, 'OK');
        assert.equal(response.httpVersion, '1.1');
        assert.equal(response.ok, true);
        assert.equal(response.headers.get('content-type'), 'text/plain');
        assert.equal(response.url, `${nginx.http}/hello`);
        assert.equal(await response.text(), 'hello\n');
    });

    test('gives two hundred at a time what each asked for', async () => {
        const sizes = Array.from({ length: 200 }, (_, i) => i % 2 ? MIB : KIB);
        const contents = { [KIB]: bytes(KIB), [MIB]: bytes(MIB) };
        const bodies = await Promise.all(sizes.map(async (size) =>
            (await fetch(`${nginx.http}/bytes/${size}`)).bytes()));
        for (const [i, body] of bodies.entries())
            assert.ok(contents[sizes[i]].equals(body), `body ${i} is another`);
    });

    test('uses a connection again', async () => {
        const seen = new Set();
        for (let i = 0; i !== 5; ++i)
            seen.add(await (await fetch(`${nginx.http}/connection`)).text());
        assert.equal(seen.size, 1);
    });

    test('takes an error status for an answer', async () => {
        const response = await fetch(`${nginx.http}/status/404`);
        assert.equal(response.status, 404);
        assert.equal(response.ok, false);
        assert.equal(await response.text(), 'not there\n');
    });

    test('decodes what the server has encoded', async () => {
        const response = await fetch(`${nginx.http}/gzip/${MIB}`);
        assert.equal(response.headers.get('content-encoding'), 'gzip');
        assert.ok(bytes(MIB).equals(await response.bytes()));
    });

    test('has no body for HEAD', async () => {
        const response = await fetch(`${nginx.http}/bytes/${KIB}`, { method: 'HEAD' });
        assert.equal(response.headers.get('content-length'), String(KIB));
        assert.equal((await response.bytes()).length, 0);
    });

    test('gives a body once', async () => {
        const response = await fetch(`${nginx.http}/hello`);
        await response.text();
        assert.equal(response.bodyUsed, true);
        await assert.rejects(response.text(), TypeError);
    });

    test('reads JSON and drops a byte order mark', async () => {
        const server = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n\uFEFF{"a":"ü"}'));
        assert.deepEqual(await (await fetch(server.url)).json(), { a: 'ü' });
        await server.stop();
    });

    test('tells repeated and empty headers, and the last response of several', async () => {
        const server = await serve(answer('HTTP/1.1 103 Early Hints\r\nX-Hint: 1\r\n\r\n' +
            'HTTP/1.1 200 Fine\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n'));
        const { headers, statusText } = await fetch(server.url);
        assert.equal(statusText, 'Fine');
        assert.deepEqual(headers.getSetCookie(), ['a=1', 'b=2']);
        assert.equal(headers.get('x-empty'), '');
        assert.equal(headers.has('x-hint'), false);
        await server.stop();
    });

    test('gives the head before there is a body', async () => {
        let socket;
        const server = await serve((one) => {
            socket = one;
            answer('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n')(one);
        });
        const response = await fetch(server.url);
        socket.write('late');
        assert.equal(await response.text(), 'late');
        await server.stop();
    });

    test('sends what it is asked to, and leaves nothing of it to the next request', async () => {
        const server = await listener();
        const headers = { 'X-Test': 'yes', 'X-Empty': '' };
        await (await fetch(server.url, { method: 'POST', headers, body: 'körper' })).text();
        await (await fetch(server.url)).text();
        assert.match(server.heads[0], /^POST \/ HTTP\/1.1\r\n/);
        assert.match(server.heads[0], /\r\nX-Test: yes\r\nX-Empty:\r\n/);
        assert.match(server.heads[0], /\r\nContent-Type: text\/plain;charset=UTF-8\r\n/);
        assert.match(server.heads[0], /\r\nContent-Length: 7\r\n\r\nk\xC3\xB6rper$/);
        assert.match(server.heads[1], /^GET \/ HTTP\/1.1\r\n/);
        assert.doesNotMatch(server.heads[1], /x-test|content-|expect/i);
        assert.equal(server.connections, 1);
        await server.stop();
    });

    test('takes every option of libcurl from tweak, for that request alone', async () => {
        const server = await listener();
        const tweak = (curl) => curl.setopt('USERAGENT', 'tweaked/1');
        await (await fetch(server.url, { tweak })).text();
        await (await fetch(server.url)).text();
        assert.match(server.heads[0], /\r\nUser-Agent: tweaked\/1\r\n/);
        assert.doesNotMatch(server.heads[1], /tweaked/);
        await server.stop();
    });

    test('runs on the multi it is given', async () => {
        const multi = new AsyncCurlMulti({ shards: 1 });
        await (await fetch(`${nginx.http}/hello`, { multi })).text();
        assert.equal(multi.stats().completed, 1);
        await multi.close();
        await assert.rejects(fetch(`${nginx.http}/hello`, { multi }), { code: 'CURLICUE_CLOSED' });
    });
});

describe('A redirect', () => {
    let nginx;
    before(async () => nginx = await startNginx());
    after(() => nginx.stop());

    const redirecting = (to, status = 302) =>
        listener(`HTTP/1.1 ${status} Found\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`);

    test('is followed', async () => {
        const response = await fetch(`${nginx.http}/redirect`);
        assert.equal(await response.text(), 'hello\n');
        assert.equal(response.redirected, true);
        assert.equal(response.url, `${nginx.http}/hello`);
    });

    test('is given or refused where the request says so', async () => {
        assert.equal((await fetch(`${nginx.http}/redirect`, { redirect: 'manual' })).status, 302);
        await assert.rejects(fetch(`${nginx.http}/redirect`, { redirect: 'error' }),
            { code: 'CURLICUE_REDIRECT_REFUSED' });
    });

    test('is followed ten times, not for ever', async () => {
        const server = await redirecting('/again');
        await assert.rejects(fetch(server.url), { code: 'CURLE_TOO_MANY_REDIRECTS', errno: 47 });
        assert.equal(server.heads.length, 11);
        await server.stop();
    });

    test('takes no secrets to another server', async () => {
        const there = await listener();
        const here = await redirecting(`${there.url}/there`, 307);
        const headers = { 'Authorization': 'Basic c2VjcmV0', 'X-Api-Key': 'secret', 'Cookie': 'a=secret',
            'Accept': 'text/plain' };
        await (await fetch(`http://user:secret@127.0.0.1:${here.port}/`, { headers })).text();
        assert.match(here.heads[0], /X-Api-Key: secret/);
        assert.match(there.heads[0], /^GET \/there /);
        assert.match(there.heads[0], /\r\nAccept: text\/plain\r\n/);
        assert.doesNotMatch(there.heads[0], /secret|authorization|c2VjcmV0/i);
        await Promise.all([here.stop(), there.stop()]);
    });

    test('calls tweak again, but not for another server, unless it is to be', async () => {
        const there = await listener();
        const here = await listener((head) => `HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ` +
            `${head.startsWith('GET /second') ? `${there.url}/there` : '/second'}\r\n\r\n`);
        for (const tweakAllHops of [false, true]) {
            const asked = [];
            const tweak = (curl, url) => {
                asked.push(url);
                curl.setopt('USERPWD', 'user:secret');
            };
            await (await fetch(`${here.url}/first`, { tweak, tweakAllHops })).text();
            assert.deepEqual(asked, [`${here.url}/first`, `${here.url}/second`,
                ...tweakAllHops ? [`${there.url}/there`] : []]);
            assert.match(here.heads.at(-1), /\r\nAuthorization: Basic /);
            assert.equal(/authorization/i.test(there.heads.at(-1)), tweakAllHops);
        }
        await Promise.all([here.stop(), there.stop()]);
    });

    test('back to the first server takes nothing there again', async () => {
        const here = await listener((head) => head.startsWith('GET /back ') ? ok
            : `HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ${there.url}\r\n\r\n`);
        const there = await redirecting(`${here.url}/back`);
        let tweaked = 0;
        await (await fetch(here.url, { tweak: () => ++tweaked, headers: { 'X-Api-Key': 'secret' } })).text();
        assert.equal(tweaked, 1);
        assert.match(here.heads[0], /secret/);
        assert.doesNotMatch(here.heads[1], /secret/);
        await Promise.all([here.stop(), there.stop()]);
    });

    test('takes a body to another server with its type alone', async () => {
        const there = await listener();
        const here = await redirecting(there.url, 308);
        const headers = { 'Content-Type': 'text/x', 'Content-Language': 'de' };
        await (await fetch(here.url, { method: 'POST', body: 'once', headers })).text();
        assert.match(there.heads[0], /\r\nContent-Type: text\/x\r\n[^]*\r\n\r\nonce$/);
        assert.doesNotMatch(there.heads[0], /language/i);
        await Promise.all([here.stop(), there.stop()]);
    });

    test('turns POST into GET, but for 307 and 308', async () => {
        for (const [status, method] of [[301, 'GET'], [303, 'GET'], [307, 'POST'], [308, 'POST']]) {
            const server = await listener((head) => head.includes('/there') ? ok
                : `HTTP/1.1 ${status} Go\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n`);
            await (await fetch(server.url, { method: 'POST', body: 'once' })).text();
            assert.match(server.heads[1], new RegExp(`^${method} /there `));
            assert.equal(server.heads[1].endsWith('once'), method === 'POST');
            await server.stop();
        }
    });

    test('does not lead to another protocol', async () => {
        for (const to of ['file:///etc/hostname', 'ftp://127.0.0.1/', 'gopher://127.0.0.1/']) {
            const server = await redirecting(to);
            await assert.rejects(fetch(server.url), { code: 'CURLE_UNSUPPORTED_PROTOCOL' });
            await server.stop();
        }
    });
});
