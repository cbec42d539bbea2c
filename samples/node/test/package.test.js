// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { describe, test } = require('node:test');
const { promisify } = require('node:util');
const { freePort, startNginx } = require('./support/nginx.js');

const directory = path.join(__dirname, '..');
const run = promisify(execFile);

describe('The package', () => {
    test('is imported by its names', async () => {
        const names = Object.keys(require('..'));
        const program = `import { ${names} } from 'curlicue'; console.log([${names}].every((one) => one !== undefined));`;
        const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: directory });
        assert.equal(stdout, 'true\n');
    });

    test('has a sample that tells what came of each URL', async () => {
        const nginx = await startNginx({ sizes: [1000] });
        const nobody = `http://127.0.0.1:${await freePort()}/`;
        const urls = [`${nginx.http}/bytes/1000`, `${nginx.http}/status/404`, nobody];
        const failed = await run(process.execPath, ['sizes.mjs', ...urls], { cwd: directory })
            .catch((error) => error);
        const lines = failed.stdout.trim().split('\n').sort();
        assert.equal(failed.code, 1);
        assert.deepEqual(lines.filter((line) => !line.startsWith(nobody)).sort(),
            [`${urls[0]}: status 200, 1000 bytes`, `${urls[1]}: status 404, 10 bytes`].sort());
        assert.match(lines.find((line) => line.startsWith(nobody)), /Failed to connect/);
        await nginx.stop();
    });
});
