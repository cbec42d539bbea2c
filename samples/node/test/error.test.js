// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const { describe, test } = require('node:test');
const { fetch, AsyncCurlMulti, Curl, CurlError, curlVersion } = require('..');
const codes = require('../lib/codes.js');
const { freePort } = require('./support/nginx.js');
const { answer, serve } = require('./support/server.js');

async function failureOf(url, options) {
    try {
        await (await fetch(url, options)).text();
    } catch (error) {
        return error;
    }
    assert.fail('it did not fail');
}

describe('An error', () => {
    test('tells its code and how far the transfer came', async () => {
        const nobody = await freePort();
        const replies = {
            headers: '',
            body: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
            nonsense: 'what?\r\n\r\n',
        };
        const servers = {};
        for (const [name, reply] of Object.entries(replies))
            servers[name] = await serve((socket) => socket.on('data', () => socket.end(reply)));
        for (const [url, code, errno, phase] of [
            ['http://a,b/', 'CURLE_URL_MALFORMAT', 3, 'url'],
            ['http://nowhere.invalid/', 'CURLE_COULDNT_RESOLVE_HOST', 6, 'resolve'],
            [`http://127.0.0.1:${nobody}/`, 'CURLE_COULDNT_CONNECT', 7, 'connect'],
            [`https://127.0.0.1:${servers.nonsense.port}/`, 'CURLE_SSL_CONNECT_ERROR', 35, 'tls'],
            [servers.headers.url, 'CURLE_GOT_NOTHING', 52, 'headers'],
            [servers.body.url, 'CURLE_PARTIAL_FILE', 18, 'body'],
        ]) {
            const error = await failureOf(url);
            assert.ok(error instanceof CurlError && error instanceof Error);
            assert.deepEqual([error.code, error.errno, error.phase], [code, errno, phase], url);
        }
        for (const server of Object.values(servers))
            await server.stop();
    });

    test('has what the system said for its cause', async () => {
        const error = await failureOf(`http://127.0.0.1:${await freePort()}/`);
        assert.equal(error.cause.code, 'ECONNREFUSED');
        assert.equal(error.cause.errno, -111);
    });

    test('has for its cause what the system said of that transfer', async () => {
        const nobody = await freePort();
        const refused = `http://127.0.0.1:${nobody}/`;
        // libcurl tries both addresses of a host, and remembers that one was refused.
        const second = (curl) => curl.setopt('RESOLVE', [`two.test:${mute.port}:[::1],127.0.0.1`]);
        const mute = await serve((socket) => socket.on('data', () => socket.end()));
        const multi = new AsyncCurlMulti();
        const curl = new Curl(refused);
        assert.equal((await multi.perform(curl).catch((error) => error)).cause.code, 'ECONNREFUSED');
        curl.setopt('URL', 'http://nowhere.invalid/');
        assert.equal((await multi.perform(curl).catch((error) => error)).cause, undefined);
        for (let i = 0; i !== 3; ++i) {
            assert.equal((await failureOf(refused, { multi })).cause.code, 'ECONNREFUSED');
            assert.equal((await failureOf('http://nowhere.invalid/', { multi })).cause, undefined);
            assert.equal((await failureOf(mute.url, { multi })).cause, undefined);
            assert.equal((await failureOf(`http://two.test:${mute.port}/`, { multi, tweak: second })).cause, undefined);
        }
        await Promise.all([mute.stop(), multi.close()]);
    });

    test('tells in which phase the time was over', async () => {
        const mute = await serve(() => {});
        const halting = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
        for (const [server, phase] of [[mute, 'headers'], [halting, 'body']]) {
            const error = await failureOf(server.url, { timeout: 2000 });
            assert.deepEqual([error.code, error.phase], ['CURLE_OPERATION_TIMEDOUT', phase]);
            await server.stop();
        }
    });

    test('tells of a server that is silent before or after its first word', async () => {
        const mute = await serve(() => {});
        const halting = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
        const told = async (url, options) => {
            const error = await failureOf(url, options);
            assert.equal(error.code, 'CURLE_OPERATION_TIMEDOUT');
            return error.phase;
        };
        assert.equal(await told(mute.url, { stallTimeout: 1000 }), 'headers');
        assert.equal(await told(halting.url, { stallTimeout: 1000 }), 'body');
        const handshake = await told(mute.url.replace('http:', 'https:'), { connectTimeout: 100 });
        if (curlVersion.startsWith('libcurl/7.')) // newer ones cannot all tell
            assert.equal(handshake, 'tls');
        await Promise.all([mute.stop(), halting.stop()]);
    });

    test('gives away nothing of a URL or a header', async () => {
        const port = await freePort();
        for (const url of [`http://user:secret@127.0.0.1:${port}/?key=secret`, 'http://secret@[/secret'])
            assert.doesNotMatch(require('node:util').inspect(await failureOf(url)), /secret/);
        const header = await failureOf('http://127.0.0.1/', { headers: { 'X-Key': 'secret\r\nX: y' } });
        assert.doesNotMatch(header.message, /secret/);
    });

    test('has the name that libcurl\'s header gives its number', () => {
        const prefix = execFileSync('pkg-config', ['--variable=includedir', 'libcurl']).toString().trim();
        const directory = [prefix, '/usr/include', ...fs.readdirSync('/usr/include')
            .map((name) => `/usr/include/${name}`)].find((one) => fs.existsSync(`${one}/curl/curl.h`));
        const header = fs.readFileSync(`${directory}/curl/curl.h`, 'utf8');
        const [list] = /CURLE_OK = 0[^]*?CURL_LAST/.exec(header.replace(/\/\*[^]*?\*\//g, ''));
        const names = [...list.matchAll(/CURLE_(\w+),/g)].map((match) => match[1]);
        // One that an older libcurl returned keeps the name which it had there.
        const current = codes.easy.slice(0, names.length)
            .map((name, index) => names[index] === `OBSOLETE${index + 1}` ? names[index] : name);
        assert.deepEqual(current, names);
    });

    test('of a wrong argument is a TypeError, at the call', async () => {
        assert.throws(() => new Curl().setopt('NO_SUCH_OPTION', 1), TypeError);
        assert.throws(() => new Curl().getinfo('NO_SUCH_INFO'), TypeError);
        assert.throws(() => new Curl().setopt('HTTPHEADER', [1]), TypeError);
        for (const options of [{ multi: {} }, { body: 5 }, { headers: { 'a b': '' } }, { method: 'G T' }])
            await assert.rejects(fetch('http://127.0.0.1/', options), TypeError, JSON.stringify(options));
    });
});

describe('The guard', () => {
    test('lets no protocol but http and https pass', async () => {
        for (const url of ['file:///etc/hostname', 'ftp://127.0.0.1/', 'gopher://127.0.0.1/',
            'dict://127.0.0.1/', 'ldap://127.0.0.1/', 'smb://127.0.0.1/', 'telnet://127.0.0.1/'])
            await assert.rejects(fetch(url), TypeError, url);
    });

    test('lets nobody end a header or a request line before its end', async () => {
        for (const end of ['\r', '\n', '\r\n', '\0']) {
            for (const options of [
                { headers: { 'X-Test': `a${end}X-Other: b` } },
                { headers: { [`X-Test${end}`]: 'a' } },
                { method: `GET${end}X: y` },
            ])
                await assert.rejects(fetch('http://127.0.0.1/', options), TypeError);
        }
    });

    test('ends a head that does not end', async () => {
        const server = await serve((socket) => {
            socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\n'));
            const more = () => socket.write(`X-More: ${'x'.repeat(8000)}\r\n`) && setImmediate(more);
            socket.once('data', more).on('drain', more);
        });
        assert.equal((await failureOf(server.url)).code, 'CURLE_FILESIZE_EXCEEDED');
        await server.stop();
    });

    test('asks no proxy that the environment names', async () => {
        const proxy = await serve(() => {});
        const server = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
        process.env.http_proxy = proxy.url;
        try {
            assert.equal(await (await fetch(server.url)).text(), 'ok');
        } finally {
            delete process.env.http_proxy;
        }
        assert.equal(proxy.connections, 0);
        await Promise.all([proxy.stop(), server.stop()]);
    });
});
