// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { fetch, AsyncCurlMulti, Curl } = require('..');
const { runProgram } = require('./support/program.js');
const { answer, serve } = require('./support/server.js');

const ok = answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

describe('On Node\'s loop', () => {
    test('a continuation is followed by nextTick, microtasks and the next event', async () => {
        const server = await serve(ok);
        const order = [];
        const seen = (what) => () => { order.push(what); };
        await fetch(server.url).then(() => {
            setImmediate(seen('immediate'));
            process.nextTick(seen('nextTick'));
            queueMicrotask(seen('microtask'));
            order.push('continuation');
        });
        await new Promise(setImmediate);
        // Inside a microtask other microtasks come first, as everywhere in Node.
        assert.deepEqual(order, ['continuation', 'microtask', 'nextTick', 'immediate']);
        await server.stop();
    });

    test('nothing runs between two callbacks of one call of libcurl\'s', async () => {
        const server = await serve(ok);
        const order = [];
        const multi = new AsyncCurlMulti();
        const curl = new Curl(server.url).setopt('HEADERFUNCTION', (line) => {
            order.push(line.trim() || 'end of head');
            process.nextTick(() => order.push('nextTick'));
            Promise.resolve().then(() => order.push('microtask'));
        }).setopt('WRITEFUNCTION', () => { order.push('body'); });
        await multi.perform(curl);
        order.push('done');
        assert.deepEqual(order, ['HTTP/1.1 200 OK', 'Content-Length: 2', 'end of head', 'body',
            'nextTick', 'nextTick', 'nextTick', 'microtask', 'microtask', 'microtask', 'done']);
        await multi.close();
        await server.stop();
    });

    test('an exception of a continuation is an unhandled rejection, and the rest goes on', async () => {
        const server = await serve(ok);
        const { code, output } = await runProgram(`
            process.on('unhandledRejection', (reason) => console.log('told', reason.message));
            const get = () => curlicue.fetch('${server.url}');
            get().then(() => { throw new Error('mine'); });
            Promise.all([get(), get(), get()]).then((all) => console.log('got', all.length));`);
        assert.equal(code, 0, output);
        assert.deepEqual(output.trim().split('\n').sort(), ['got 3', 'told mine']);
        await server.stop();
    });

    test('an idle client lets the process end', async () => {
        const server = await serve(ok);
        for (const source of [
            '',
            'new curlicue.AsyncCurlMulti()',
            'new curlicue.AsyncCurlMulti().ref()',
            `curlicue.fetch('${server.url}').then((response) => response.text()).then(console.log)`,
        ]) {
            const { code, output } = await runProgram(source, { signal: AbortSignal.timeout(60_000) });
            assert.equal(code, 0, output);
        }
        await server.stop();
    });

    test('a pending transfer holds the process, unless unref was called', async () => {
        const silent = await serve(() => {});
        const program = (more) => `
            const multi = new curlicue.AsyncCurlMulti();
            curlicue.fetch('${silent.url}', { multi }).finally(() => console.log('settled'));
            ${more}`;
        const ended = await runProgram(program('multi.unref()'));
        assert.deepEqual(ended, { code: 0, output: '' });
        const held = await runProgram(program(`multi.unref().ref();
            setTimeout(() => { console.log('alive'); process.exit(5); }, 200).unref();`));
        assert.deepEqual(held, { code: 5, output: 'alive\n' });
        await silent.stop();
    });

    test('process.exit in the middle of transfers is clean', async () => {
        const server = await serve(ok);
        const { code, output } = await runProgram(`
            for (let i = 0; i < 20; ++i)
                curlicue.fetch('${server.url}').then(() => process.exit(3));`);
        assert.deepEqual({ code, output }, { code: 3, output: '' });
        await server.stop();
    });
});
