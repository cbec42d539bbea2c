// SPDX-License-Identifier: MIT
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { once } = require('node:events');
const { after, before, describe, test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const curlicue = require('..');
const { fetch, AsyncCurlMulti, Curl } = curlicue;
const { collect, collectUntil } = require('./support/collect.js');
const { runProgram } = require('./support/program.js');
const { answer, serve } = require('./support/server.js');

const ok = answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
const BORROWED = { name: 'CurlError', code: 'CURLICUE_BORROWED', message: /new Curl\(\)/ };

describe('The Curl that tweak is given', () => {
    let server, multi;
    before(async () => {
        server = await serve(ok);
        multi = new AsyncCurlMulti();
    });
    after(async () => {
        await multi.close();
        await server.stop();
    });
    const refused = (curl) => {
        assert.throws(() => curl.perform(), BORROWED);
        assert.throws(() => multi.perform(curl), BORROWED);
        assert.throws(() => multi.add_handle(curl), BORROWED);
    };

    test('transfers nothing but its fetch, be it before, while or after that', async () => {
        let kept;
        const before = server.connections;
        const pending = fetch(server.url, { multi, tweak: (curl) => refused(kept = curl) });
        refused(kept);
        assert.equal(await (await pending).text(), 'ok');
        refused(kept);
        assert.equal(multi.size, 0);
        assert.equal(server.connections, before + 1);
    });

    test('tells of the transfer afterwards, and takes options that nobody uses', async () => {
        let kept;
        assert.equal(await (await fetch(server.url, { multi, tweak: (curl) => kept = curl })).text(), 'ok');
        await collect();
        assert.equal(kept.getinfo('RESPONSE_CODE'), 200);
        assert.equal(kept.errstr(), '');
        kept.setopt('USERAGENT', 'kept').setopt('WRITEFUNCTION', () => {}).reset();
        refused(kept);
        kept.close();
        assert.throws(() => kept.getinfo('RESPONSE_CODE'), { code: 'CURLICUE_CLOSED' });
    });

    test('may be kept by one whose fetch never began', async () => {
        let kept;
        const thrown = new Error('no');
        const tweak = (curl) => {
            kept = curl;
            throw thrown;
        };
        await assert.rejects(fetch(server.url, { multi, tweak }), thrown);
        await collect();
        refused(kept);
        kept.close();
    });

    test('may end its fetch', async () => {
        const silent = await serve(() => {});
        for (const end of [(curl) => multi.remove_handle(curl), (curl) => curl.close()]) {
            let kept;
            const pending = fetch(silent.url, { multi, tweak: (curl) => kept = curl });
            end(kept);
            await assert.rejects(pending, { code: 'CURLICUE_CANCELLED' });
        }
        await assert.rejects(fetch(silent.url, { multi, tweak: (curl) => curl.close() }), { code: 'CURLICUE_CLOSED' });
        await silent.stop();
    });

    test('goes with a response that its own function knows', async () => {
        let collected = 0;
        const registry = new FinalizationRegistry(() => ++collected);
        for (let i = 0; i !== 5; ++i) {
            const box = {};
            box.response = await fetch(server.url, { multi, tweak: (curl) => curl.setopt('VERBOSE', true)
                .setopt('DEBUGFUNCTION', () => { box.seen = true; }) });
            registry.register(box.response);
        }
        await collectUntil(() => collected >= 4); // the last may be on the stack still
    });
});

describe('The collector', () => {
    // What libcurl has to say when a handle is cleaned up: that its cookies cannot be written.
    const talkative = `setopt('COOKIELIST', 'Set-Cookie: a=b; domain=127.0.0.1')
        .setopt('COOKIEJAR', '/nowhere/at/all').setopt('DEBUGFUNCTION', () => { ++said; }).setopt('VERBOSE', true)`;

    test('calls no function of a Curl that nobody has any more', async () => {
        const source = `
            const { collectUntil } = require(${JSON.stringify(require.resolve('./support/collect.js'))});
            let said = 0, gone = 0;
            const registry = new FinalizationRegistry(() => ++gone);
            for (let i = 0; i !== 20; ++i)
                registry.register(new curlicue.Curl('http://127.0.0.1/').${talkative});
            collectUntil(() => gone === 20).then(() => collectUntil(() => true))
                .then(() => console.log(gone, said));`;
        assert.deepEqual(await runProgram(source), { code: 0, output: '20 0\n' });
    });

    test('calls none at the end of a program either', async () => {
        const source = `let said = 0;
            globalThis.kept = new curlicue.Curl('http://127.0.0.1/').${talkative};
            process.on('exit', () => kept.setopt('DEBUGFUNCTION', () => { console.log('called'); }));`;
        assert.deepEqual(await runProgram(source), { code: 0, output: '' });
    });

    test('calls none of a fetch that it ends', async () => {
        const halting = await serve(answer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
        const multi = new AsyncCurlMulti();
        let said = 0;
        const kept = [];
        const one = async () => {
            await fetch(halting.url, { multi, tweak: (curl) => {
                kept.push(curl.setopt('VERBOSE', true).setopt('DEBUGFUNCTION', () => { ++said; }));
            } });
        };
        for (let i = 0; i !== 5; ++i)
            await one();
        while (multi.stats().pending === 5 && multi.stats().wakeups < 10)
            await turn();
        const before = said;
        await collectUntil(() => multi.stats().pending === 0);
        assert.ok(before > 0);
        assert.equal(said, before);
        assert.equal(kept.length, 5);
        await halting.gone(5);
        await multi.close();
        await halting.stop();
    });

    test('lets an explicit close say what libcurl has to say', async () => {
        const { code, output } = await runProgram(`
            let said = 0;
            new curlicue.Curl('http://127.0.0.1/').${talkative}.close();
            console.log(said > 0);`);
        assert.deepEqual({ code, output }, { code: 0, output: 'true\n' });
    });
});

describe('An object that is not one of ours', () => {
    const wrong = [
        undefined, null, 0, 'text', Symbol('s'), 1n, () => {}, [], {}, Object.create(Curl.prototype),
        Object.create(AsyncCurlMulti.prototype), new Proxy(new Curl(), {}), new Proxy(new AsyncCurlMulti(), {}),
        Curl, AsyncCurlMulti, Curl.prototype, new Map(), new Date(),
    ];

    test('is a TypeError, wherever one of ours belongs', async () => {
        const multi = new AsyncCurlMulti();
        for (const one of [...wrong, multi])
            for (const call of ['add_handle', 'perform', 'remove_handle', 'contains'])
                assert.throws(() => multi[call](one), TypeError, String(call));
        for (const one of [...wrong.filter((one) => one !== undefined && one !== null), new Curl()])
            await assert.rejects(fetch('http://127.0.0.1:9/', { multi: one }), TypeError);
    });

    test('has none of their methods or getters', () => {
        for (const [Class, other] of [[Curl, new AsyncCurlMulti()], [AsyncCurlMulti, new Curl()]]) {
            for (let from = Class.prototype; from !== Object.prototype; from = Object.getPrototypeOf(from)) {
                for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
                    if (name === 'constructor')
                        continue;
                    for (const one of [...wrong, other])
                        assert.throws(() => (value ?? get).call(one), TypeError, `${name} of ${typeof one}`);
                }
            }
        }
    });

    test('is not made by a call without new, or for another class', () => {
        const Native = Object.getPrototypeOf(AsyncCurlMulti);
        for (const Class of [Curl, Native]) {
            for (const self of [undefined, {}, new Curl(), globalThis])
                assert.throws(() => Class.call(self), TypeError);
            const odd = Reflect.construct(Class, Class === Curl ? [] : [0, 1, 0, 0], Map);
            assert.throws(() => odd.size, TypeError);
        }
        for (const url of [null, 5, {}, [], true, Symbol('url')])
            assert.throws(() => new Curl(url), TypeError);
    });

    test('behind an External is not taken for an easy', async () => {
        const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1');
        await once(server, 'listening');
        const socket = net.connect(server.address().port, '127.0.0.1');
        await once(socket, 'connect');
        const external = socket._handle._externalStream;
        assert.ok(require('node:util').types.isExternal(external));
        assert.throws(() => new Curl(external), TypeError);
        assert.throws(() => new Curl().setopt('URL', external), TypeError);
        socket.destroy();
        server.close();
        await once(server, 'close');
    });
});

describe('A second copy of the package in one process', () => {
    const directory = path.join(__dirname, '..');
    let copy;
    before(() => {
        copy = fs.mkdtempSync(path.join(os.tmpdir(), 'curlicue-copy-'));
        for (const name of ['index.js', 'package.json', 'lib'])
            fs.cpSync(path.join(directory, name), path.join(copy, name), { recursive: true });
        const addon = process.env.CURLICUE_ADDON ?? path.join(directory, '../../build/addon/samples/node/curlicue.node');
        fs.copyFileSync(addon, path.join(copy, 'copy.node'));
    });
    after(() => fs.rmSync(copy, { recursive: true }));

    const emptied = `
        for (const name of Object.keys(require.cache))
            delete require.cache[name];
        const other = require(${JSON.stringify(directory)});`;
    const copied = () => `
        process.env.CURLICUE_ADDON = ${JSON.stringify(path.join(copy, 'copy.node'))};
        const other = require(${JSON.stringify(copy)});`;

    for (const [how, load] of [['whose module cache was emptied', () => emptied], ['installed twice', copied]]) {
        test(`${how} has its own objects, and both work`, async () => {
            const server = await serve(ok);
            const { code, output } = await runProgram(`
                ${load()}
                const assert = require('node:assert/strict');
                const url = '${server.url}';
                const pairs = [[curlicue, other], [other, curlicue]];
                (async () => {
                    for (const [one, two] of pairs) {
                        const multi = new one.AsyncCurlMulti(), foreign = new two.AsyncCurlMulti();
                        await assert.rejects(one.fetch(url, { multi: foreign }), TypeError);
                        for (const call of ['add_handle', 'perform', 'remove_handle', 'contains'])
                            assert.throws(() => multi[call](new two.Curl(url)), TypeError);
                        assert.throws(() => one.Curl.prototype.setopt.call(new two.Curl(), 'URL', url), TypeError);
                        const { get } = Object.getOwnPropertyDescriptor(one.Curl.prototype, 'closed');
                        assert.throws(() => get.call(new two.Curl()), TypeError);
                        assert.equal(await (await one.fetch(url, { multi })).text(), 'ok');
                        let body = '';
                        await multi.perform(new one.Curl(url)
                            .setopt('WRITEFUNCTION', (chunk) => { body += Buffer.from(chunk); }));
                        assert.equal(body, 'ok');
                        await Promise.all([multi.close(), foreign.close()]);
                    }
                    console.log('both');
                })();`);
            assert.deepEqual({ code, output }, { code: 0, output: 'both\n' });
            await server.stop();
        });
    }

    test('in a worker too, which may end in the middle', async () => {
        const silent = await serve(() => {});
        const source = `
            const curlicue = require(${JSON.stringify(directory)});
            ${emptied}
            const { parentPort } = require('node:worker_threads');
            curlicue.fetch('${silent.url}').catch(() => {});
            other.fetch('${silent.url}').catch(() => {});
            setImmediate(() => parentPort.postMessage('hanging'));
            setInterval(() => {}, 1e6);`;
        const ended = await runProgram(`
            const { Worker } = require('node:worker_threads');
            const { once } = require('node:events');
            (async () => {
                for (let i = 0; i < 5; ++i) {
                    const worker = new Worker(${JSON.stringify(source)}, { eval: true });
                    await once(worker, 'message');
                    await worker.terminate();
                }
                console.log('ended');
            })();`);
        assert.deepEqual(ended, { code: 0, output: 'ended\n' });
        await silent.stop();
    });
});
