// SPDX-License-Identifier: MIT
'use strict';

const { fetchBy } = require('./fetch.js');
const { defaultMulti } = require('./multi.js');
const native = require('./native.js');
const { Request } = require('./request.js');
const { limitsOf } = require('./settings.js');

/** Fetches with options of its own, and no more at once than it may. */
class Client {
    #native;
    #options;

    constructor({ multi = defaultMulti(), limits, memory, ...options } = {}) {
        new Request('http://localhost/', options); // what is wrong with them is told here
        this.#native = new native.Client(multi, limitsOf({ limits, memory }));
        this.#options = options;
    }

    fetch(input, options = {}) {
        const ours = options !== null && typeof options === 'object' ? { ...this.#options, ...options } : options;
        return fetchBy(this.#native, input, ours);
    }

    stats() {
        return this.#native.stats();
    }

    close() {
        return this.#native.close();
    }
}

module.exports = { Client };
