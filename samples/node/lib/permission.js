// SPDX-License-Identifier: MIT
'use strict';

// Under --permission Node asks for leave in its own functions, of which libcurl calls none. So we
// ask, in Node's words.
const { permission } = process;
const knowsNetwork = process.allowedNodeEnvironmentFlags.has('--allow-net'); // Node 25 and newer
const names = {
    'net': ['Net', '--allow-net'],
    'fs.read': ['FileSystemRead', '--allow-fs-read'],
    'fs.write': ['FileSystemWrite', '--allow-fs-write'],
};

// Whoever may have this may have all. Where none is named, Node 20 tells of the working directory.
const anyFile = '/.not-named-by-anybody';

/**
 * @param resource a file; without, all of them
 * @throws Error with the code ERR_ACCESS_DENIED, if this process may not
 */
function demand(scope, resource) {
    if (permission === undefined || permission.has(scope, resource ?? (scope === 'net' ? undefined : anyFile)))
        return;
    const [name, flag] = names[scope];
    throw Object.assign(new Error(`Access to this API has been restricted. Use ${flag} to manage permissions.`),
        { code: 'ERR_ACCESS_DENIED', permission: name, resource: resource ?? '' });
}

/** @throws as `demand`, where Node has that permission */
function demandNetwork() {
    if (knowsNetwork)
        demand('net');
}

module.exports = { isLimited: permission !== undefined, demand, demandNetwork };
