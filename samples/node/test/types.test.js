// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const curlicue = require('..');

describe('The declarations', () => {
    const tsc = path.join(__dirname, '../node_modules/typescript/bin/tsc');
    const skip = !fs.existsSync(tsc) && '`npm install` has not been here';

    test('fit their uses, and refuse what does not', { skip }, () => {
        const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', path.join(__dirname, 'types')],
            { encoding: 'utf8' });
        assert.equal(status, 0, stdout);
    });

    test('name all that is there, and nothing else', () => {
        const declared = fs.readFileSync(path.join(__dirname, '../index.d.ts'), 'utf8');
        const names = [...declared.matchAll(/^export (?:class|function|const) (\w+)/gm)].map((match) => match[1]);
        assert.deepEqual(names.sort(), Object.keys(curlicue).sort());
        for (const name of ['Curl', 'AsyncCurlMulti', 'Response']) {
            const [, body] = new RegExp(`^export class ${name} [^{]*\\{\\n([^]*?)^\\}`, 'm').exec(declared);
            const members = new Set([...body.matchAll(/^ {4}(?:readonly |private )?(\w+)[(:]/gm)].map((match) => match[1]));
            for (let here = curlicue[name].prototype; here !== Object.prototype; here = Object.getPrototypeOf(here))
                for (const member of Object.getOwnPropertyNames(here))
                    assert.ok(members.has(member), `${name}.${member} is not declared`);
        }
    });
});
