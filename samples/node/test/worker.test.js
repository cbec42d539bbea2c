// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { runProgram } = require('./support/program.js');
const { answer, serve } = require('./support/server.js');

const addon = JSON.stringify(require.resolve('..'));

// Waits until five transfers hang, then says so.
const hanging = (urls) => `
    const { parentPort } = require('node:worker_threads');
    const { fetch } = require(${addon});
    const body = async function* () { yield 'part'; await new Promise(() => {}); };
    const [silent, halting] = ${JSON.stringify(urls)};
    fetch(silent), fetch(silent), fetch('http://nowhere.invalid').catch(() => {});
    fetch(silent, { method: 'PUT', body: body() });
    fetch(halting).then((response) => {
        response.text();
        parentPort.postMessage('hanging');
    });
    setInterval(() => {}, 1e6);`;

const program = (urls, count, end) => `
    const { Worker } = require('node:worker_threads');
    const { once } = require('node:events');
    const fs = require('node:fs');
    const descriptors = () => fs.readdirSync('/proc/self/fd').length;
    const source = ${JSON.stringify(hanging(urls))};
    async function one() {
        const worker = new Worker(source, { eval: true });
        await once(worker, 'message');
        ${end}
    }
    (async () => {
        await one(); // what is opened once
        const before = descriptors();
        for (let i = 1; i < ${count}; ++i)
            await one();
        console.log('left', descriptors() - before);
    })();`;

describe('A worker', () => {
    test('that is terminated with transfers hanging leaves no descriptor, fifty times', async () => {
        const silent = await serve(() => {});
        const halting = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
        const ended = await runProgram(program([silent.url, halting.url], 50, 'await worker.terminate();'));
        assert.deepEqual(ended, { code: 0, output: 'left 0\n' });
        await Promise.all([silent.stop(), halting.stop()]);
    });

    test('that exits by itself with transfers hanging leaves none either', async () => {
        const silent = await serve(() => {});
        const halting = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
        const source = `${hanging([silent.url, halting.url])}
            parentPort.on('message', () => process.exit(7));`;
        const ended = await runProgram(`
            const { Worker } = require('node:worker_threads');
            const { once } = require('node:events');
            (async () => {
                for (let i = 0; i < 10; ++i) {
                    const worker = new Worker(${JSON.stringify(source)}, { eval: true });
                    await once(worker, 'message');
                    worker.postMessage('exit');
                    console.log(...await once(worker, 'exit'));
                }
            })();`);
        assert.deepEqual(ended, { code: 0, output: '7\n'.repeat(10) });
        await Promise.all([silent.stop(), halting.stop()]);
    });

    test('has transfers of its own beside those of others', async () => {
        const server = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
        const source = `
            const { parentPort } = require('node:worker_threads');
            const { fetch } = require(${addon});
            const get = async () => (await fetch('${server.url}')).text();
            Promise.all(Array.from({ length: 20 }, get)).then((all) => parentPort.postMessage(all.join('')));`;
        const ended = await runProgram(`
            const { Worker } = require('node:worker_threads');
            const { once } = require('node:events');
            const one = async () => {
                const worker = new Worker(${JSON.stringify(source)}, { eval: true });
                const ended = once(worker, 'exit'); // which may be told together with the message
                const [text] = await once(worker, 'message');
                await ended;
                return text;
            };
            const get = async () => (await curlicue.fetch('${server.url}')).text();
            Promise.all([one(), one(), one(), get()]).then((all) => console.log(all.join('') === 'ok'.repeat(61)));`);
        assert.deepEqual(ended, { code: 0, output: 'true\n' });
        await server.stop();
    });
});
