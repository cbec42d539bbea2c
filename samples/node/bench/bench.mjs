// SPDX-License-Identifier: MIT
// bench/bench.mjs [REQUESTS [ROUNDS]]: requests a second and processor time of ours beside undici's, from one
// nginx, 64 at a time, warmed up, in turns; medians. `npm install` brings undici.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const curlicue = require('curlicue');
const undici = require('undici');
const { startNginx } = require('../test/support/nginx.js');

const MIB = 1024 * 1024;
const [requests = 10_000, rounds = 5] = process.argv.slice(2).map(Number);
const atATime = 64;

const clients = {
    curlicue: async (url) => (await (await curlicue.fetch(url)).bytes()).length,
    'undici.request': async (url) => (await (await undici.request(url)).body.arrayBuffer()).byteLength,
    'undici.fetch': async (url) => (await (await undici.fetch(url)).arrayBuffer()).byteLength,
};

async function run(get, url, count, size) {
    let left = count;
    const one = async () => {
        while (left-- > 0)
            if (await get(url) !== size)
                throw new Error('a body is not as long as it should be');
    };
    const before = process.cpuUsage();
    const begun = process.hrtime.bigint();
    await Promise.all(Array.from({ length: atATime }, one));
    const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
    const { user, system } = process.cpuUsage(before);
    return { rate: count / seconds, cpu: (user + system) / count };
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

async function compare(title, url, count, size) {
    const results = new Map(Object.keys(clients).map((name) => [name, []]));
    for (let round = -1; round !== rounds; ++round) // the first warms up
        for (const [name, get] of Object.entries(clients)) {
            const result = await run(get, url, round < 0 ? Math.ceil(count / 4) : count, size);
            if (round >= 0)
                results.get(name).push(result);
        }
    console.log(`${title}, ${count} requests, ${atATime} at a time`);
    const of = (name, what) => median(results.get(name).map((result) => result[what]));
    for (const name of results.keys())
        console.log(`  ${name.padEnd(16)} ${of(name, 'rate').toFixed(0).padStart(7)} requests/s`,
            `${of(name, 'cpu').toFixed(1).padStart(8)} us of processor a request`,
            `  ours: ${(of('curlicue', 'rate') / of(name, 'rate')).toFixed(2)} x the rate,`,
            `${(of('curlicue', 'cpu') / of(name, 'cpu')).toFixed(2)} x the time`);
}

const server = await startNginx({ sizes: [MIB] });
await compare('hello', `${server.http}/hello`, requests, 6);
await compare('1 MiB', `${server.http}/bytes/${MIB}`, Math.ceil(requests / 10), MIB);
await server.stop();
