// SPDX-License-Identifier: MIT
'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');

/** Runs a Node program that knows `curlicue`; its exit code or signal, and what it wrote. */
async function runProgram(source, { signal } = {}) {
    const addon = JSON.stringify(path.join(__dirname, '../..'));
    const child = spawn(process.execPath, ['-e', `const curlicue = require(${addon});\n${source}`],
        { signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (text) => output += text);
    child.stderr.on('data', (text) => output += text);
    const [code, killed] = await once(child, 'close');
    return { code: code ?? killed, output };
}

module.exports = { runProgram };
