// SPDX-License-Identifier: MIT
'use strict';

const { demandTransfer } = require('./curl.js');
const native = require('./native.js');

let clientOf;

/** Runs the transfers of Curl handles, and those of fetch, on Node's loop. */
class AsyncCurlMulti extends native.AsyncCurlMulti {
    #client; // what fetch uses where it is given only this

    constructor({ caCache = false, shards, heartbeat, refuseBlocking = false } = {}) {
        super(Number(caCache), shards, heartbeat, Number(refuseBlocking));
    }

    add_handle(curl) {
        demandTransfer(curl);
        return super.add_handle(curl);
    }

    perform(curl) {
        demandTransfer(curl);
        return super.perform(curl);
    }

    static {
        clientOf = (multi) => {
            if (typeof multi !== 'object' || multi === null || !(#client in multi))
                throw new TypeError('multi must be an AsyncCurlMulti');
            return multi.#client ??= new native.Client(multi);
        };
    }
}

let shared; // of this environment, made when somebody needs it

/** The one that fetch uses where none is named. */
function defaultMulti() {
    return shared ??= new AsyncCurlMulti({ caCache: true });
}

module.exports = { AsyncCurlMulti, clientOf, defaultMulti };
