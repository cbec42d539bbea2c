// SPDX-License-Identifier: MIT
'use strict';

const { constants: { MAX_LENGTH, MAX_STRING_LENGTH } } = require('node:buffer');
const { constants } = require('node:os');
const path = require('node:path');
const { makeError } = require('./error.js');
const { requireNode } = require('./host.js');
const { redirectOf } = require('./url.js');

// Where `npm install` builds it; any other build directory of Meson's has it too.
const built = path.join(__dirname, '../../../build/addon/samples/node/curlicue.node');
const file = process.env.CURLICUE_ADDON ?? built;

/**
 * Node brings an OpenSSL and a zlib of its own, and shows their functions to every library: libcurl
 * would call those instead of the ones that it was built with. Bound deep, it looks among its own
 * libraries first.
 */
function load() {
    const { RTLD_NOW, RTLD_DEEPBIND = 0 } = constants.dlopen;
    const loaded = { exports: {} };
    process.dlopen(loaded, file, RTLD_NOW | RTLD_DEEPBIND);
    return loaded.exports;
}

requireNode();
const native = load();
native.open(makeError, redirectOf, MAX_STRING_LENGTH, MAX_LENGTH);

module.exports = native;
