// SPDX-License-Identifier: MIT
'use strict';

const { setImmediate: turn } = require('node:timers/promises');
const v8 = require('node:v8');
const vm = require('node:vm');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** Collects garbage until `done`; finalizers run when the loop has turned. */
async function collectUntil(done) {
    while (!done()) {
        gc();
        await turn();
    }
}

/** Collects what is garbage now. */
async function collect() {
    let gone = false;
    const registry = new FinalizationRegistry(() => gone = true);
    registry.register({});
    await collectUntil(() => gone);
}

module.exports = { collect, collectUntil };
