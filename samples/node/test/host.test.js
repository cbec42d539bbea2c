// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');

const directory = path.join(__dirname, '..');
const program = `require(${JSON.stringify(directory)})`;

/** Of a process in which nothing may be loaded. */
function run(command, args) {
    const env = { ...process.env, CURLICUE_ADDON: '/nowhere/curlicue.node' };
    return spawnSync(command, args, { encoding: 'utf8', env, timeout: 60_000 });
}

describe('Another host than Node', () => {
    const hosts = {
        bun: ['Bun', `Object.defineProperty(process.versions, 'bun', { value: '1.4.5' });`, ['-e', program]],
        deno: ['Deno', `globalThis.Deno = { version: { deno: '2.9.6' } };`, ['eval',
            `import { createRequire } from 'node:module'; createRequire('file://${directory}/')('${directory}/index.js')`]],
    };
    for (const [name, [host, fake, args]] of Object.entries(hosts)) {
        const words = new RegExp(`needs Node\\.js 18 or newer: this is ${host} \\d.*, which lacks the libuv loop.*` +
            `Run it with node, or use ${host}'s own fetch`);

        test(`is refused in words before anything is loaded: ${host}`, () => {
            const { status, stderr } = run(process.execPath, ['-e', `${fake} ${program}`]);
            assert.equal(status, 1);
            assert.match(stderr, words);
            assert.match(stderr, /code: 'CURLICUE_UNSUPPORTED_HOST'/);
        });

        const there = (process.env.PATH ?? '').split(':').some((one) => fs.existsSync(path.join(one, name)));
        test(`the real ${host}`, { skip: !there && `there is no ${name}` }, () => {
            const { status, stderr } = run(name, args);
            assert.equal(status, 1);
            assert.match(stderr.replace(/\x1b\[[0-9;]*m/g, ''), words);
        });
    }

    test('is not seen in Node', () => {
        const { status, stderr } = run(process.execPath, ['-e', program]);
        assert.equal(status, 1);
        assert.match(stderr, /ERR_DLOPEN_FAILED/);
    });
});
