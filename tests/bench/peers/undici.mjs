// SPDX-License-Identifier: MIT
// undici.mjs MODULES NAME=VALUE…: does a job (clients/job.hpp) with the undici in that directory.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [modules, ...words] = process.argv.slice(2);
const { Pool } = createRequire(`${modules}/`)('undici');
const job = Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
const [concurrency, requests, warmUp] = [job.concurrency, job.requests, job.warm_up].map(Number);

const { origin, pathname } = new URL(job.url);
const pool = new Pool(origin, { connections: concurrency, pipelining: 1 });

function sample() {
  const { user, system } = process.cpuUsage();
  return { time: process.hrtime.bigint(), cpu: user + system };
}

// As the meter of the other clients: up to the last one that counts there are as many under way.
const last = warmUp + requests;
const all = last + (job.once === '1' ? 0 : concurrency - 1);
let starts = 0;
let ends = 0;
let begin = warmUp === 0 ? sample() : null;
let end = null;

async function oneAfterAnother() {
  while (starts++ < all) {
    const { statusCode, body } = await pool.request({ path: pathname, method: 'GET' });
    if (statusCode !== 200) throw new Error(`the server answers ${statusCode}`);
    await body.dump();
    ends += 1;
    if (ends === warmUp) begin = sample();
    else if (ends === last) end = sample();
  }
}

await Promise.all(Array.from({ length: concurrency }, oneAfterAnother));
await pool.close();
console.log(JSON.stringify({
  requests,
  seconds: Number(end.time - begin.time) / 1e9,
  cpu_us: end.cpu - begin.cpu,
  rss_kb: Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status'))[1]),
  allocations: null,
}));
