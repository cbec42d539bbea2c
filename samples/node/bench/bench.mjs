// SPDX-License-Identifier: MIT
// bench/bench.mjs [REQUESTS [ROUNDS]]: requests a second and processor time of ours beside undici's and, where
// `npm install node-libcurl` has brought it, node-libcurl's, from one nginx, 64 at a time, warmed up, in turns;
// medians. `npm install` brings undici.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const curlicue = require('curlicue');
const undici = require('undici');
const { startNginx } = require('../test/support/nginx.js');

const MIB = 1024 * 1024;
const [requests = 10_000, rounds = 5] = process.argv.slice(2).map(Number);
const atATime = 64;

const server = await startNginx({ sizes: [MIB] });
const ca = fs.readFileSync(server.authority);
const dispatcher = new undici.Agent({ connect: { ca }, allowH2: true });
const tweak = (curl) => curl.setopt('CAINFO', server.authority);

const clients = {
    curlicue: async (url) => (await (await curlicue.fetch(url, { tweak })).bytes()).length,
    'undici.request': async (url) => (await (await undici.request(url, { dispatcher })).body.arrayBuffer()).byteLength,
    'undici.fetch': async (url) => (await (await undici.fetch(url, { dispatcher })).arrayBuffer()).byteLength,
};
try {
    const { curly } = require('node-libcurl');
    clients['node-libcurl'] = async (url) =>
        (await curly.get(url, { CAINFO: server.authority, curlyResponseBodyParser: false })).data.length;
} catch {
    console.log('node-libcurl is left out: it is not installed');
}

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

for (const [title, origin] of [['HTTP/1.1', server.http], ['TLS, HTTP/1.1', server.http11], ['TLS, HTTP/2', server.https]]) {
    await compare(`${title}: hello`, `${origin}/hello`, requests, 6);
    await compare(`${title}: 1 MiB`, `${origin}/bytes/${MIB}`, Math.ceil(requests / 10), MIB);
}
await dispatcher.close();
await server.stop();
