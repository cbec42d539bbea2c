// SPDX-License-Identifier: MIT
// sizes.mjs URL…: fetches all at once, in 30 seconds at the most, and tells how much came.
import { fetch } from 'curlicue';

const signal = AbortSignal.timeout(30_000);

async function sizeOf(url) {
    const response = await fetch(url, { signal });
    let size = 0;
    for await (const chunk of response) // while nobody reads, the server waits
        size += chunk.length;
    return `status ${response.status}, ${size} bytes`;
}

await Promise.all(process.argv.slice(2).map(async (url) => {
    try {
        console.log(`${url}: ${await sizeOf(url)}`);
    } catch (error) {
        console.log(`${url}: ${error.message}`); // its code and phase tell more
        process.exitCode = 1;
    }
}));
