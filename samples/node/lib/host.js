// SPDX-License-Identifier: MIT
'use strict';

const { CurlError } = require('./error.js');

// They load addons, but have no libuv loop to lend: Deno none of its functions, Bun such as end the
// process.
const others = [['Bun', 'bun'], ['Deno', 'deno']];

/** @throws CurlError in a host that cannot carry the addon; called before it is loaded */
function requireNode() {
    for (const [host, name] of others) {
        const version = process.versions[name] ?? globalThis[host]?.version?.[name];
        if (version !== undefined)
            throw new CurlError(`curlicue needs Node.js 18 or newer: this is ${host} ${version}, which lacks the libuv loop ` +
                `that transfers run on. Run it with node, or use ${host}'s own fetch`, { code: 'CURLICUE_UNSUPPORTED_HOST' });
    }
}

module.exports = { requireNode };
