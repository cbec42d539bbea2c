// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { execFile, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { promisify } = require('node:util');
const { answer, serve } = require('./support/server.js');

const run = promisify(execFile);
const directory = path.join(__dirname, '..');
const flag = ['--permission', '--experimental-permission']
    .find((one) => spawnSync(process.execPath, [one, '-e', '0']).status === 0);
const knowsNetwork = process.allowedNodeEnvironmentFlags.has('--allow-net');

describe('Under --permission', { skip: !flag && 'this Node has none' }, () => {
    let server, scratch, file;
    before(async () => {
        server = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
        scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curlicue-permission-')));
        file = path.join(scratch, 'file');
        fs.writeFileSync(file, 'read');
    });
    after(async () => {
        fs.rmSync(scratch, { recursive: true });
        await server.stop();
    });

    // What is needed to load it at all.
    const addon = process.env.CURLICUE_ADDON ?? path.join(directory, '../../build/addon');
    const loading = ['--allow-addons', `--allow-fs-read=${fs.realpathSync(directory)}/*`,
        `--allow-fs-read=${path.dirname(fs.realpathSync(addon))}/*`];
    /** The outcome of every line of `source`, which may wait: what it gave, or what it was refused. */
    async function outcomes(allowed, lines) {
        const source = `
            const { fetch, Curl, AsyncCurlMulti } = require(${JSON.stringify(path.join(fs.realpathSync(directory), 'index.js'))});
            const file = 'file://${file}', url = '${server.url}', scratch = '${scratch}';
            let got = '';
            const quiet = (to) => new Curl(to).setopt('WRITEFUNCTION', (chunk) => { got += Buffer.from(chunk); });
            const multi = new AsyncCurlMulti();
            (async () => {
                for (const call of [${lines.map((line) => `async () => ${line}`)}]) {
                    got = '';
                    console.log(await call().then((value) => got || typeof value, (error) => error.code === 'ERR_ACCESS_DENIED'
                        ? error.permission : String(error.code ?? error)));
                }
            })();`;
        const { stdout } = await run(process.execPath, [flag, '--no-warnings', ...loading, ...allowed, '-e', source]);
        return stdout.trim().split('\n');
    }
    const network = [
        '(await fetch(url)).text()', 'multi.perform(quiet(url))', 'multi.add_handle(quiet(url))', 'quiet(url).perform()',
    ];
    const net = knowsNetwork ? ['--allow-net'] : [];

    test('servers are asked where that is granted', async () => {
        assert.deepEqual(await outcomes(net, network), ['string', 'ok', 'ok', 'ok']);
    });

    test('servers are asked by nobody else', { skip: !knowsNetwork && 'this Node grants it to all' }, async () => {
        const before = server.connections;
        assert.deepEqual(await outcomes([], network), Array(4).fill('Net'));
        assert.equal(server.connections, before);
        assert.deepEqual(await outcomes(['--allow-fs-read=*'], [...network, 'multi.perform(quiet(file))']),
            [...Array(4).fill('Net'), 'read']);
    });

    test('files are read where all of that is granted', async () => {
        assert.deepEqual(await outcomes(['--allow-fs-read=*'], ['multi.perform(quiet(file))', 'quiet(file).perform()',
            `quiet('${file}').setopt('DEFAULT_PROTOCOL', 'file')`]), ['read', 'read', 'object']);
    });

    test('files are read by nobody else', async () => {
        const lines = [
            'quiet(file)', `quiet().setopt('URL', file)`, `quiet().setopt('curlopt_url', file)`,
            `quiet().setopt('url', 'FILE:/etc/hostname')`, `quiet().setopt(10002, ' file:///etc/hostname')`,
            `quiet().setopt('DEFAULT_PROTOCOL', 'File')`, `quiet().setopt('REDIR_PROTOCOLS_STR', 'http,FILE')`,
            `quiet().setopt('REDIR_PROTOCOLS', -1)`, `quiet().setopt('NETRC', 1)`,
            `quiet().setopt('COOKIEFILE', scratch + '/file')`, `quiet().setopt('CAINFO', scratch + '/file')`,
            `fetch(url, { tweak: (curl) => curl.setopt('SSLKEY', scratch + '/file') })`,
            `fetch(url, { tweak: (curl) => curl.setopt('URL', file) })`,
        ];
        const expected = lines.map((line) => line.includes('curlopt_') ? 'undefined' : 'FileSystemRead');
        const got = await outcomes(net, lines);
        assert.deepEqual(got.map((one) => one.startsWith('TypeError') ? 'undefined' : one), expected);
        assert.deepEqual(await outcomes(net, [`quiet(url).setopt('COOKIEFILE', '').setopt('CAINFO', null).unset('SSLKEY')`]),
            ['object']);
        assert.deepEqual(await outcomes([...net, `--allow-fs-read=${scratch}/*`],
            [`quiet(url).setopt('COOKIEFILE', scratch + '/file')`, 'quiet(file)']), ['object', 'FileSystemRead']);
    });

    test('files are written where that is granted', async () => {
        const lines = [`quiet(url).setopt('COOKIEJAR', scratch + '/jar')`,
            `quiet(file).setopt('UPLOAD', true)`, `new Curl().setopt('UPLOAD', 1).setopt('URL', file)`];
        assert.deepEqual(await outcomes(['--allow-fs-read=*', ...net], lines), Array(3).fill('FileSystemWrite'));
        assert.deepEqual(await outcomes(['--allow-fs-read=*', `--allow-fs-write=${scratch}/*`, ...net], lines.slice(0, 2)),
            ['object', 'FileSystemWrite']);
        assert.deepEqual(await outcomes(['--allow-fs-read=*', '--allow-fs-write=*', ...net], lines), Array(3).fill('object'));
    });
});
